#include "replication/stream/command_codec.h"

#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

constexpr size_t kItemsPerCommand = 64;
constexpr const CommandCodec* kCodecs[kValueTypes] = {
    &kStringCommands,
    &kHashCommands,
    &kSetCommands,
    &kListCommands,
    &kZsetCommands,
    &kStreamCommands,
};

}  // namespace

void CommandOutput::Send(std::span<const std::string_view> words) {
  bytes_.clear();
  AppendCommand(bytes_, words);
  sink_.Append(bytes_);
}

LongCommand::LongCommand(CommandOutput& out, std::string_view name, std::string_view key,
                         size_t words_per_item)
    : out_(out), most_(kItemsPerCommand * words_per_item), words_{name, key} {}

void LongCommand::Add(std::initializer_list<std::string_view> item) {
  for (const std::string_view word : item) kept_.emplace_back(word);
  if (kept_.size() >= most_) Flush();
}

void LongCommand::Flush() {
  if (kept_.empty()) return;
  words_.resize(2);
  words_.insert(words_.end(), kept_.begin(), kept_.end());
  out_.Send(words_);
  kept_.clear();
}

const CommandCodec& CommandCodecOf(ValueType type) { return *kCodecs[static_cast<size_t>(type)]; }

}  // namespace cloakroom
