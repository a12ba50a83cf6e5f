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

/// Who sends a CONFIG SET, and when.
struct ConfigCaller {
  bool is_local = false;    ///< from this machine, see enable-protected-configs
  bool is_loading = false;  ///< while the server loads its data
};

/// The values of all directives. Any thread may call anything; hot paths read live(), which takes
/// no lock. Readers of several settings may see a CONFIG SET half applied.
class ConfigStore {
 public:
  /// Applies a change. Called on the thread of the CONFIG SET, with the new values in place, once
  /// per CONFIG SET however many of its names changed. It refuses by an error, which has the words
  /// of the reply; then all values are restored, and the subscribers that were already called are
  /// called again to undo. It may read the store, but must not change it or subscribe.
  using Subscriber = std::function<absl::Status()>;
  /// The lines that CONFIG REWRITE writes for a repeatable directive: ACL's "user ..." lines.
  using LineSource = std::function<std::vector<std::string>()>;

  /// Sets everything to its default.
  ConfigStore();
  ConfigStore(const ConfigStore&) = delete;
  ConfigStore& operator=(const ConfigStore&) = delete;

  /// Reads the file, standard input and options that the command line names; later ones win. All or
  /// nothing; the error is the text to print before the process ends. Calls no subscriber: those
  /// who subscribe later read the values themselves. Blocks on the disk: start-up only.
  absl::Status Load(const CommandLine& line) ABSL_LOCKS_EXCLUDED(mutex_, changes_);

  const Config& live() const { return live_; }

  /// A directive's value as CONFIG GET shows it. REQUIRES: `name` is the name of a directive.
  std::string Text(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The value of a list such as bind, word by word.
  std::vector<std::string> Words(std::string_view name) const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The words of each line of a repeatable directive: user, rename-command, loadmodule.
  std::vector<std::vector<std::string>> Repeated(std::string_view name) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  /// Directives that Load got and that have no effect here, in the table's order, for the server
  /// log.
  std::vector<std::string> GivenWithoutEffect() const ABSL_LOCKS_EXCLUDED(mutex_);
  /// The file that Load read, or "".
  std::string ConfigFile() const ABSL_LOCKS_EXCLUDED(mutex_);

  /// CONFIG GET: the directives that match any of the glob patterns, each once, in the table's
  /// order. A name without wildcards comes back as it was spelt, and may be an alias or hidden.
  std::vector<std::pair<std::string, std::string>> Get(
      absl::Span<const std::string_view> patterns) const ABSL_LOCKS_EXCLUDED(mutex_);

  /// CONFIG SET name value [name value ...], all or nothing. The error is the reply's text, "ERR"
  /// included, in Redis' words. May take as long as the slowest subscriber.
  absl::Status Set(absl::Span<const std::string_view> names_and_values, ConfigCaller caller = {})
      ABSL_LOCKS_EXCLUDED(mutex_, changes_);

  /// The server itself has changed a directive, as REPLICAOF does `replicaof`. `text` is what
  /// CONFIG GET shows; subscribers are not called.
  void Note(std::string_view name, std::string_view text) ABSL_LOCKS_EXCLUDED(mutex_);

  /// CONFIG REWRITE: writes the current values to the configuration file; leaves included files
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
    std::string name;  // as the client wrote it, in lower case
    std::string_view word;
  };
  /// What a load has collected so far, before it becomes the store's state.
  struct Loaded {
    Values values;
    absl::flat_hash_map<Row, Lines> repeated;
    absl::flat_hash_set<Row> given;
    absl::flat_hash_set<Row> included;  // set by an included file, among others perhaps
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

  // Locked during a whole change, so that changes and rewrites do not overlap.
  Mutex changes_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<Subscription> subscriptions_ ABSL_GUARDED_BY(changes_);
  absl::flat_hash_map<Row, LineSource> line_sources_ ABSL_GUARDED_BY(changes_);

  // Locked for moments, and never while a subscriber runs, so that the subscriber may read.
  mutable Mutex mutex_;
  Loaded state_ ABSL_GUARDED_BY(mutex_);
  Values noted_ ABSL_GUARDED_BY(mutex_);    // what the server itself has changed
  Values at_load_ ABSL_GUARDED_BY(mutex_);  // the values as Load left them
  std::string config_file_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONFIG_CONFIG_STORE_H_
