#ifndef CLOAKROOM_SERVER_CONFIG_CONFIG_STORE_H_
#define CLOAKROOM_SERVER_CONFIG_CONFIG_STORE_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/config/command_line.h"
#include "server/config/config.h"
#include "server/config/directive.h"
#include "server/config/rewrite.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Who says CONFIG SET, and when.
struct ConfigCaller {
  bool is_local = false;    ///< on this machine, see enable-protected-configs
  bool is_loading = false;  ///< while the server loads its data
};

/// What every directive is set to. Any thread may call anything; the hot paths read live(), which
/// takes no lock. Readers of several settings may see a CONFIG SET half applied.
class ConfigStore {
 public:
  /// Applies a change. Called on the thread of the CONFIG SET, with the new values in place, once
  /// per change however many of its names changed. An error has the words with which it
  /// refuses; then every value goes back, and those that had been called before it are called again
  /// to undo. It may read the store, but must not change it or subscribe.
  using Subscriber = std::function<absl::Status()>;
  /// The lines that CONFIG REWRITE writes for a repeatable directive: ACL's "user ..." lines.
  using LineSource = std::function<std::vector<std::string>()>;

  /// Everything at its default.
  ConfigStore();
  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  /// Reads the file, standard input and options that the command line names, later ones winning.
  /// All or nothing; the error is the text to print before giving up. Calls no subscriber: whoever
  /// subscribes reads the values as they then are. Blocks on the disk: start-up only.
  absl::Status Load(const CommandLine& line) ABSL_LOCKS_EXCLUDED(mutex_, changes_);

  const Config& live() const { return live_; }

  /// A directive's value as CONFIG GET shows it. REQUIRES: `name` is a directive's.
  std::string Text(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The value of a list such as bind, word by word.
  std::vector<std::string> Words(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The words behind the name, line by line, of user, rename-command or loadmodule.
  std::vector<std::vector<std::string>> Repeated(std::string_view name) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  /// Directives that were given to Load and do nothing here, in the table's order; to be logged.
  std::vector<std::string> GivenWithoutEffect() const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The file that Load read, or "".
  std::string ConfigFile() const ABSL_LOCKS_EXCLUDED(mutex_);

  /// CONFIG GET: what matches any of the glob patterns, each once, in the table's order. A name
  /// without wild cards comes back as it was spelt, and may be an alias or hidden.
  std::vector<std::pair<std::string, std::string>> Get(
      absl::Span<const std::string_view> patterns) const ABSL_LOCKS_EXCLUDED(mutex_);

  /// CONFIG SET name value [name value ...], all or nothing. The error is the reply's text, "ERR"
  /// included, in Redis' words. May take as long as the slowest subscriber.
  absl::Status Set(absl::Span<const std::string_view> names_and_values, ConfigCaller caller = {})
      ABSL_LOCKS_EXCLUDED(mutex_, changes_);

  /// CONFIG REWRITE: brings the configuration file up to what holds now; included files are left
  /// alone. The error is the reply's text. Blocks on the disk: never call it on an event loop.
  absl::Status Rewrite() ABSL_LOCKS_EXCLUDED(mutex_, changes_);

  /// REQUIRES: `names` are names of directives (not aliases).
  void Subscribe(std::vector<std::string> names, Subscriber subscriber)
      ABSL_LOCKS_EXCLUDED(changes_);
  void SetLineSource(std::string_view name, LineSource source) ABSL_LOCKS_EXCLUDED(changes_);

 private:
  using Row = const config::Directive*;
  using Values = absl::flat_hash_map<Row, config::Value>;
  using Lines = std::vector<std::vector<std::string>>;
  struct Subscription {
    std::vector<Row> rows;
    Subscriber apply;
  };
  /// One name of a CONFIG SET.
  struct Assignment {
    Row row;
    std::string name;  // as it was asked for, in lower case
    std::string_view word;
  };
  /// What a load has gathered before it becomes the store's state.
  struct Loaded {
    Values values;
    absl::flat_hash_map<Row, Lines> repeated;
    absl::flat_hash_set<Row> given;
    absl::flat_hash_set<Row> included;  // set by an included file, perhaps among others
  };

  static absl::Status Apply(const config::Statement& statement, Loaded& loaded);
  absl::StatusOr<std::vector<Assignment>> ReadAssignments(
      absl::Span<const std::string_view> names_and_values, ConfigCaller caller) const;
  absl::Status Notify(const std::vector<Assignment>& changed, const Values& before)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_);
  void Put(const Values& values) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::flat_hash_map<Row, config::Wanted> WantedLines() ABSL_EXCLUSIVE_LOCKS_REQUIRED(changes_)
      ABSL_LOCKS_EXCLUDED(mutex_);

  Config live_;

  // Held throughout a change, so that changes and rewrites happen one after the other.
  Mutex changes_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<Subscription> subscriptions_ ABSL_GUARDED_BY(changes_);
  absl::flat_hash_map<Row, LineSource> line_sources_ ABSL_GUARDED_BY(changes_);

  // Held for moments. Never while a subscriber runs, so that it may read.
  mutable Mutex mutex_;
  Loaded state_ ABSL_GUARDED_BY(mutex_);
  Values at_load_ ABSL_GUARDED_BY(mutex_);  // the values as Load left them
  std::string config_file_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONFIG_CONFIG_STORE_H_
