#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_CODEC_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "replication/files/bytes.h"
#include "storage/keyspace/entry_view.h"

namespace cloakroom {

/// Sends commands to a sink, as RESP. Thread rule: one thread at a time.
class CommandOutput {
 public:
  explicit CommandOutput(ByteSink& sink) : sink_(sink) {}

  void Send(std::span<const std::string_view> words);
  void Send(std::initializer_list<std::string_view> words) {
    Send(std::span(words.begin(), words.size()));
  }

 private:
  ByteSink& sink_;
  std::string bytes_;  ///< of the present command
};

/// A command on a key with the items of a collection, split after every 64 items, as Redis does.
class LongCommand {
 public:
  LongCommand(CommandOutput& out, std::string_view name, std::string_view key,
              size_t words_per_item);
  /// Sends what is left.
  ~LongCommand() { Flush(); }
  LongCommand(const LongCommand&) = delete;
  LongCommand& operator=(const LongCommand&) = delete;

  /// Copies the words: those that a set or a hash passes are valid only during the call.
  void Add(std::initializer_list<std::string_view> item);

 private:
  void Flush();

  CommandOutput& out_;
  const size_t most_;
  std::vector<std::string> kept_;
  std::vector<std::string_view> words_;
};

/// The commands that make a value of a type anew: one row for each type, in a file of its own
/// (string_commands.cc …).
struct CommandCodec {
  ValueType type;
  /// Omits items that have expired by `now_ms`.
  void (*write)(CommandOutput& out, const EntryView& entry, int64_t now_ms);
  /// The commands also set the key's expiry.
  bool says_expiry = false;
};

extern const CommandCodec kStringCommands;
extern const CommandCodec kHashCommands;
extern const CommandCodec kSetCommands;
extern const CommandCodec kListCommands;
extern const CommandCodec kZsetCommands;
extern const CommandCodec kStreamCommands;

const CommandCodec& CommandCodecOf(ValueType type);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_CODEC_H_
