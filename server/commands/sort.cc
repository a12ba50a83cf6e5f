// SORT and SORT_RO. BY and GET read keys that only the elements tell, so with such patterns the
// command has its database to itself.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/item_expiry.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/sorting.h"
#include "server/commands/support/store_result.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/values/list.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

using Elements = std::vector<std::string>;
/// What SORT replies with or stores; nullopt: a GET pattern found nothing.
using Results = std::vector<std::optional<std::string>>;

constexpr std::string_view kNotNumbers = "ERR One or more scores can't be converted into double";

void TakeOption(Arguments& args, bool may_store, SortOptions* options) {
  if (args.Word("ASC")) {
    options->descending = false;
  } else if (args.Word("DESC")) {
    options->descending = true;
  } else if (args.Word("ALPHA")) {
    options->alpha = true;
  } else if (args.Word("LIMIT", 2)) {
    options->offset = args.Integer();
    options->count = args.Integer();
  } else if (may_store && args.Word("STORE", 1)) {
    options->store = std::string(args.String());
  } else if (args.Word("BY", 1)) {
    const std::string_view pattern = args.String();
    // A pattern without '*' says not to sort, even if another BY follows.
    options->unsorted |= !ReadsKey(pattern);
    options->by = std::string(pattern);
  } else if (args.Word("GET", 1)) {
    options->gets.emplace_back(args.String());
  } else {
    args.SyntaxError();
  }
}

/// The value of a pattern's key; nullopt if it is not there, or not of the type that fits.
std::optional<std::string> ValueOfPattern(Call& call, std::string_view pattern,
                                          std::string_view element, bool stores) {
  if (!ReadsKey(pattern)) return std::nullopt;
  const PatternKey place = KeyOfPattern(pattern, element);
  if (stores) KeepForLog(call.db(), place.key, call.HashOf(place.key));
  const Entry* entry = call.Find(place.key);
  if (entry == nullptr) return std::nullopt;
  if (place.field.empty()) {
    if (entry->type() != StringView::kType) return std::nullopt;
    return std::string(StringView(entry->encoding(), entry->payload()).bytes());
  }
  if (entry->type() != Hash::kType) return std::nullopt;
  const auto value = Hash(entry->value()).Find(place.field, call.now_ms());
  return value ? std::optional(std::string(value->bytes)) : std::nullopt;
}

/// What the GET patterns give for the elements, or the elements themselves.
Results ResultsOf(Elements elements, const SortOptions& options, SortLookup look_up) {
  Results results;
  results.reserve(elements.size() * std::max<size_t>(options.gets.size(), 1));
  for (std::string& element : elements) {
    for (const std::string& pattern : options.gets) {
      results.push_back(pattern == "#" ? element : look_up(pattern, element));
    }
    if (options.gets.empty()) results.emplace_back(std::move(element));
  }
  return results;
}

void ReplyResults(ReplyWriter& reply, const Results& results) {
  reply.Array(results.size());
  for (const auto& result : results) reply.Bulk(result);
}

/// No pattern reads another key.
std::optional<std::string> NoLookup(std::string_view, std::string_view) { return std::nullopt; }

/// A list of results, built outside the keyspace.
struct StoredList {
  StoredList(const SharedValue& value, EncodingLimits encoding_limits)
      : source(value), limits(encoding_limits) {}

  /// Absent results are stored as empty strings, as in Redis.
  void Push(const Results& results) {
    std::vector<std::string_view> words;
    words.reserve(results.size());
    for (const auto& result : results) words.emplace_back(result ? *result : std::string_view());
    if (!words.empty()) MutableList(slot, limits).Push(ListEnd::kBack, words);
    size = words.size();
  }

  const SharedValue source;
  const EncodingLimits limits;
  MemorySlot slot;
  size_t size = 0;
  bool numbers = true;  ///< otherwise a weight is not a number
};

void PutList(Call& call, StoredList& list, std::string_view key) {
  if (!list.numbers) return call.Error(kNotNumbers);
  KeepForLog(call.db(), call.arg(1), call.HashOf(call.arg(1)));
  WriteScope target = call.Open(key);
  if (list.size > 0) {
    target.LogAs(call.db().index(), call.args());
    StoreResult(list.slot, target);
    target.Changed("sortstore", static_cast<int64_t>(list.size));
  } else if (target.exists()) {
    target.Delete();
    target.Changed("del");
  }
  call.reply().Integer(static_cast<int64_t>(list.size));
}

void Build(StoredList& list, const SortOptions& options, SortLookup look_up) {
  std::optional<Elements> elements = SortedElements(list.source.view(), options, look_up);
  list.numbers = elements.has_value();
  if (list.numbers) list.Push(ResultsOf(*std::move(elements), options, look_up));
}

/// As the set commands that store, see set_algebra.cc: much work is done on a worker, and counts
/// only if the source is unchanged.
void StoreSorted(Call& call, const ValueView& value, const SortOptions& options) {
  const auto prepared = call.prepared<StoredList>();
  if (prepared != nullptr && prepared->source.Is(value)) {
    return PutList(call, *prepared, *options.store);
  }
  const SharedValue source(value);
  const EncodingLimits& limits = call.server().keyspace().encoding_limits();
  if (CountOfElements(value) > kLongWorkItems && !options.reads_others() && call.may_prepare()) {
    return call.PrepareOnWorker([source, limits, options](LongWork& work) {
      auto list = std::make_shared<StoredList>(source, limits);
      Build(*list, options, NoLookup);
      work.prepared = std::move(list);
    });
  }
  StoredList list(source, limits);
  Build(list, options, [&](std::string_view pattern, std::string_view element) {
    return ValueOfPattern(call, pattern, element, /*stores=*/true);
  });
  PutList(call, list, *options.store);
}

void ReplySorted(Call& call, const ValueView& value, const SortOptions& options) {
  if (CountOfElements(value) > kLongWorkItems && !options.reads_others()) {
    return call.StartLongWork([source = SharedValue(value), options](LongWork& work) {
      auto elements = SortedElements(source.view(), options, NoLookup);
      if (!elements) return work.Error(kNotNumbers);
      ReplyResults(work.reply, ResultsOf(*std::move(elements), options, NoLookup));
    });
  }
  const auto look_up = [&](std::string_view pattern, std::string_view element) {
    return ValueOfPattern(call, pattern, element, /*stores=*/false);
  };
  auto elements = SortedElements(value, options, look_up);
  if (!elements) return call.Error(kNotNumbers);
  ReplyResults(call.reply(), ResultsOf(*std::move(elements), options, look_up));
}

bool IsSortable(ValueType type) {
  return type == ValueType::kList || type == ValueType::kSet || type == ValueType::kZset;
}

void SortKey(Call& call, bool may_store) {
  SortOptions options;
  Arguments args(call, 2);
  while (args.More()) TakeOption(args, may_store, &options);
  if (!args.Finish()) return;
  EraseExpiredMembers(call, call.arg(1));
  const Entry* entry = call.Find(call.arg(1));
  if (entry != nullptr && !IsSortable(entry->type())) return call.Error(kWrongType);
  // Redis makes it a skip list to sort it, and leaves it one.
  if (entry != nullptr && entry->type() == Zset::kType) call.Open(call.arg(1)).set_outgrown(true);
  const ValueView value = entry != nullptr
                              ? entry->value()
                              : ValueView{.type = ValueType::kList, .encoding = Encoding::kPacked};
  // A set has no order that a script or the log could rely on.
  if (options.unsorted && value.type == ValueType::kSet &&
      (options.store || call.mode() == CallMode::kScript)) {
    options.unsorted = false;
    options.alpha = true;
    options.by.clear();
  }
  if (options.unsorted) options.by.clear();
  options.store ? StoreSorted(call, value, options) : ReplySorted(call, value, options);
}

void Sort(Call& call) { SortKey(call, /*may_store=*/true); }
void SortRo(Call& call) { SortKey(call, /*may_store=*/false); }

/// The key, and what the last STORE names.
bool FindSortKeys(CommandArguments args, KeyPositions* positions) {
  positions->push_back({1, kRO | kAccess});
  std::optional<size_t> destination;
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "by") || EqualsIgnoreCase(args[i], "get")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "store")) {
      destination = i + 1;
    }
  }
  if (destination) positions->push_back({*destination, kOW | kUpdate});
  return true;
}

/// The whole database for patterns that read keys, and for a second STORE, of which the first may
/// be an option's argument. Anything that may be such an option counts as one.
Access SortAccess(Server&, CommandArguments args) {
  int stores = 0;
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    const std::string_view word = args[i];
    if (EqualsIgnoreCase(word, "store") && ++stores > 1) return Access::kWhole;
    const bool pattern = EqualsIgnoreCase(word, "by") || EqualsIgnoreCase(word, "get");
    if (pattern && ReadsKey(args[i + 1])) return Access::kWhole;
  }
  return Access::kKeys;
}

constexpr std::string_view kReadsKeys =
    "Patterns of BY and GET name keys by the elements that are sorted";
constexpr std::string_view kStoresAnywhere = "The last STORE counts, wherever it is";

// Read as a table.
// clang-format off
constexpr CommandRow kSortCommands[] = {
    {.name = "sort", .run = Sort, .arity = -2, .flags = kWrite | kDenyOom | kMovableKeys,
     .categories = kCatSet | kCatSortedSet | kCatList | kCatDangerous,
     .keys = {Key(1, kRO | kAccess), UnknownKeys(kRO | kAccess).Noted(kReadsKeys),
              UnknownKeys(kOW | kUpdate).Noted(kStoresAnywhere)},
     .find_keys = FindSortKeys, .access_of = SortAccess, .since = "1.0.0",
     .complexity = "O(N+M*log(M)) for N elements and M returned ones.",
     .syntax = "key [BY pattern#1] [offset_count: LIMIT offset count] [GET pattern#1 [GET "
               "pattern#1 ...]] [order: ASC | DESC] [sorting: ALPHA] [STORE destination#2]",
     .summary = "Sorts the elements of a list, set or sorted set; returns or stores them."},
    {.name = "sort_ro", .run = SortRo, .arity = -2, .flags = kReadonly | kMovableKeys,
     .categories = kCatSet | kCatSortedSet | kCatList | kCatDangerous,
     .keys = {Key(1, kRO | kAccess), UnknownKeys(kRO | kAccess).Noted(kReadsKeys)},
     .access_of = SortAccess, .since = "7.0.0",
     .complexity = "O(N+M*log(M)) for N elements and M returned ones.",
     .syntax = "key [BY pattern#1] [offset_count: LIMIT offset count] [GET pattern#1 [GET "
               "pattern#1 ...]] [order: ASC | DESC] [sorting: ALPHA]",
     .summary = "Sorts the elements of a list, set or sorted set; returns them."},
};
// clang-format on

}  // namespace

CommandFamily SortCommands() { return {CommandGroup::kGeneric, 0, kSortCommands}; }

}  // namespace cloakroom
