#include "server/commands/support/stream_options.h"

#include <algorithm>

#include "server/commands/support/stream_ids.h"

namespace cloakroom {
namespace {

/// The most entries that a trim with ~ removes if LIMIT does not say: those of a hundred leaves.
int64_t DefaultLimit(Arguments& args) {
  constexpr int64_t kWithoutNodeLimit = 10'000;
  constexpr int64_t kMost = 1'000'000;
  const size_t entries = args.call().server().keyspace().encoding_limits().stream_node_max_entries;
  if (entries == 0) return kWithoutNodeLimit;
  return static_cast<int64_t>(std::min<size_t>(entries, kMost / 100)) * 100;
}

/// Reads the options of a command, and remembers what only the end decides.
class OptionReader {
 public:
  OptionReader(Arguments& args, bool adds) : args_(args), adds_(adds) {}

  StreamOptions Read() {
    while (args_.More()) {
      if (adds_ && args_.Peek() == "*") {
        args_.String();
        options_.automatic_id = true;
        break;
      }
      if (!TakeOption()) break;
    }
    Check();
    return options_;
  }

 private:
  /// False: it was the ID, or an error.
  bool TakeOption() {
    if (args_.Word("MAXLEN", 1)) {
      TakeForm(StreamTrim::By::kSize);
    } else if (args_.Word("MINID", 1)) {
      TakeForm(StreamTrim::By::kId);
    } else if (args_.Word("LIMIT", 1)) {
      limit_ = args_.Integer();
      if (limit_ < 0) args_.Fail("ERR The LIMIT argument must be >= 0.");
      limit_given_ = true;
    } else if (adds_ && args_.Word("NOMKSTREAM")) {
      options_.no_create = true;
    } else if (adds_) {
      TakeId();
      return false;
    } else {
      args_.SyntaxError();
    }
    return args_.ok();
  }

  void TakeForm(StreamTrim::By by) {
    if (options_.trim) {
      return args_.Fail(
          "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    }
    StreamTrim& trim = options_.trim.emplace();
    trim.by = by;
    if (args_.left() >= 2 && args_.Peek() == "~") {
      args_.String();
      trim.whole_leaves = true;
    } else if (args_.left() >= 2 && args_.Peek() == "=") {
      args_.String();
    }
    if (by == StreamTrim::By::kId) {
      trim.min_id = TakeStreamId(args_);
      return;
    }
    const int64_t size = args_.Integer();
    if (size < 0) args_.Fail("ERR The MAXLEN argument must be >= 0.");
    trim.max_size = static_cast<uint64_t>(size);
  }

  void TakeId() {
    const std::string_view text = args_.Peek();
    if (text.ends_with("-*") && text.find('-') == text.size() - 2) {
      args_.String();
      options_.automatic_seq = true;
      const std::optional<StreamId> id = ParseStreamId(text.substr(0, text.size() - 2));
      if (!id) return args_.Fail(kInvalidStreamId);
      options_.id = *id;
      return;
    }
    options_.id = TakeStreamId(args_);
  }

  void Check() {
    if (limit_ != 0 && !options_.trim) {
      return args_.Fail(
          "ERR syntax error, LIMIT cannot be used without specifying a trimming "
          "strategy");
    }
    if (!adds_ && !options_.trim) {
      return args_.Fail("ERR syntax error, XTRIM must be called with trimming strategy");
    }
    const bool approximate = options_.trim && options_.trim->whole_leaves;
    // A primary, and the log, say an approximate trim as the exact one that came of it, with its
    // LIMIT, which is over by then.
    if (args_.call().client().primary) return;
    if (limit_given_ && !approximate) {
      return args_.Fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    if (options_.trim) {
      options_.trim->limit = limit_given_ ? limit_ : approximate ? DefaultLimit(args_) : 0;
    }
  }

  Arguments& args_;
  const bool adds_;
  StreamOptions options_;
  int64_t limit_ = 0;
  bool limit_given_ = false;
};

}  // namespace

StreamOptions TakeAddOptions(Arguments& args) { return OptionReader(args, /*adds=*/true).Read(); }

StreamOptions TakeTrimOptions(Arguments& args) { return OptionReader(args, /*adds=*/false).Read(); }

}  // namespace cloakroom
