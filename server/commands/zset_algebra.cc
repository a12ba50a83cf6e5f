// Combinations of sorted sets, and of sets with them: ZINTER ZUNION ZDIFF, their STORE forms, and
// ZINTERCARD.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/combine.h"
#include "server/commands/support/item_expiry.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/score_table.h"
#include "server/commands/support/scored_reply.h"
#include "server/commands/support/scratch_zset.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

/// What a request asks for, except the keys.
struct CombineOptions {
  Combine combine = Combine::kUnion;
  Aggregate aggregate = Aggregate::kSum;
  std::vector<double> weights;
  bool with_scores = false;
  size_t limit = 0;  ///< 0: none
};

/// Which options a form of the command takes.
enum class Form : uint8_t { kReply, kStore, kCount };

/// The inputs of a request, as they are under its hold.
struct CombineRequest {
  std::vector<ScoredInput> inputs;
  size_t first_key = 0;
  CombineOptions options;
};

/// The values of `count` keys from argument `first` on. If one has a wrong type, replies with the
/// error and returns nullopt.
std::optional<std::vector<ScoredInput>> OpenInputs(Call& call, size_t first, size_t count) {
  std::vector<ScoredInput> inputs;
  for (size_t i = first; i < first + count; ++i) EraseExpiredMembers(call, call.arg(i));
  for (size_t i = first; i < first + count; ++i) {
    const Entry* entry = call.Find(call.arg(i));
    if (entry != nullptr && !ScoredInput::Takes(entry->type())) {
      call.Error(kWrongType);
      return std::nullopt;
    }
    inputs.push_back(entry == nullptr ? ScoredInput() : ScoredInput(entry->value()));
  }
  return inputs;
}

Aggregate TakeAggregate(Arguments& args) {
  if (args.Word("MIN")) return Aggregate::kMin;
  if (args.Word("MAX")) return Aggregate::kMax;
  if (!args.Word("SUM")) args.SyntaxError();
  return Aggregate::kSum;
}

void TakeCombineOptions(Arguments& args, Form form, size_t keys, CombineOptions& options) {
  const bool scored = options.combine != Combine::kDifference && form != Form::kCount;
  while (args.More()) {
    if (scored && args.Word("WEIGHTS", keys)) {
      for (double& weight : options.weights) {
        weight = args.Double("ERR weight value is not a float");
      }
    } else if (scored && args.Word("AGGREGATE", 1)) {
      options.aggregate = TakeAggregate(args);
    } else if (form == Form::kReply && args.Word("WITHSCORES")) {
      options.with_scores = true;
    } else if (form == Form::kCount && args.Word("LIMIT", 1)) {
      options.limit =
          static_cast<size_t>(args.IntegerIn(0, INT64_MAX, "ERR LIMIT can't be negative"));
    } else {
      args.SyntaxError();
    }
  }
}

/// Reads a request whose number of keys is argument `numkeys_at`. Redis opens the keys before it
/// reads the options. Replies with the error if it returns nullopt.
std::optional<CombineRequest> ParseRequest(Call& call, Combine combine, Form form,
                                           size_t numkeys_at) {
  Arguments args(call, numkeys_at);
  const int64_t keys = args.Integer();
  if (keys < 1) {
    args.Fail("ERR at least 1 input key is needed for '" + std::string(call.command().row->name) +
              "' command");
  }
  if (keys > static_cast<int64_t>(args.left())) args.SyntaxError();
  if (!args.Finish()) return std::nullopt;
  const auto count = static_cast<size_t>(keys);
  std::optional<std::vector<ScoredInput>> inputs = OpenInputs(call, args.at(), count);
  if (!inputs) return std::nullopt;
  CombineRequest request{.inputs = *std::move(inputs), .first_key = args.at(), .options = {}};
  request.options.combine = combine;
  request.options.weights.assign(count, 1);
  args.GoTo(args.at() + count);
  TakeCombineOptions(args, form, count, request.options);
  if (!args.Finish()) return std::nullopt;
  return request;
}

/// The cost of a combination, in members replied.
size_t Cost(const CombineRequest& request) {
  // Adding a member to a table, and sorting it, costs about as much as replying with this many.
  constexpr size_t kBuildWeight = 8;
  const std::vector<ScoredInput>& inputs = request.inputs;
  if (request.options.combine == Combine::kIntersection) {
    size_t smallest = inputs[0].size();
    for (const ScoredInput& input : inputs) smallest = std::min(smallest, input.size());
    return smallest * (inputs.size() + kBuildWeight);
  }
  if (request.options.combine == Combine::kDifference) {
    return inputs[0].size() * (inputs.size() + kBuildWeight);
  }
  size_t total = 0;
  for (const ScoredInput& input : inputs) total += input.size();
  return total * kBuildWeight;
}

using SharedInputs = std::vector<SharedValue>;

SharedInputs ShareAll(std::span<const ScoredInput> inputs) {
  SharedInputs shared;
  for (const ScoredInput& input : inputs) shared.push_back(input.Share());
  return shared;
}

std::vector<ScoredInput> ViewsOf(const SharedInputs& shared) {
  std::vector<ScoredInput> views;
  for (const SharedValue& value : shared) views.emplace_back(value.view());
  return views;
}

std::vector<WeightedInput> Weighted(std::span<const ScoredInput> inputs,
                                    const CombineOptions& options) {
  std::vector<WeightedInput> weighted;
  weighted.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) weighted.push_back({inputs[i], options.weights[i]});
  return weighted;
}

ScoreTable Combined(std::span<const ScoredInput> inputs, const CombineOptions& options) {
  ScoreTable table;
  const std::vector<WeightedInput> weighted = Weighted(inputs, options);
  switch (options.combine) {
    case Combine::kUnion:
      table.Unite(weighted, options.aggregate);
      break;
    case Combine::kIntersection:
      table.Intersect(weighted, options.aggregate);
      break;
    case Combine::kDifference:
      table.Subtract(weighted);
      break;
  }
  return table;
}

/// Runs `write(ReplyWriter&, inputs, options)` at once, or on a worker if the cost is high.
template <typename Write>
void ReplyFromInputs(Call& call, CombineRequest request, Write write) {
  if (Cost(request) <= kLongWorkItems) {
    return write(call.reply(), request.inputs, request.options);
  }
  call.StartLongWork([shared = ShareAll(request.inputs), options = std::move(request.options),
                      write](LongWork& work) { write(work.reply, ViewsOf(shared), options); });
}

void ReplyCombinedZsets(Call& call, Combine combine) {
  std::optional<CombineRequest> request = ParseRequest(call, combine, Form::kReply, 1);
  if (!request) return;
  ReplyFromInputs(call, *std::move(request),
                  [](ReplyWriter& reply, const std::vector<ScoredInput>& inputs,
                     const CombineOptions& options) {
                    const ScoreTable table = Combined(inputs, options);
                    BeginScored(reply, table.size(), options.with_scores);
                    for (const ScoredItem& item : table.Sorted()) {
                      ReplyScored(reply, item, options.with_scores);
                    }
                  });
}

void ZInter(Call& call) { ReplyCombinedZsets(call, Combine::kIntersection); }
void ZUnion(Call& call) { ReplyCombinedZsets(call, Combine::kUnion); }
void ZDiff(Call& call) { ReplyCombinedZsets(call, Combine::kDifference); }

void Fill(ScratchZset& result, std::span<const ScoredInput> inputs, const CombineOptions& options) {
  const ScoreTable table = Combined(inputs, options);
  result.Prepare(table.size(), table.longest());
  for (const ScoredItem& item : table.Sorted()) result.Add(item);
}

/// The result of a STORE form, computed outside the event loop, and what it was computed from.
struct PreparedZset {
  PreparedZset(SharedInputs its_sources, const EncodingLimits& limits)
      : sources(std::move(its_sources)), result(limits) {}

  bool ComesFrom(std::span<const ScoredInput> inputs) const {
    return std::equal(
        inputs.begin(), inputs.end(), sources.begin(), sources.end(),
        [](const ScoredInput& input, const SharedValue& source) { return input.Is(source); });
  }

  SharedInputs sources;
  ScratchZset result;
};

void PrepareStore(Call& call, const CombineRequest& request) {
  call.PrepareOnWorker(
      [sources = ShareAll(request.inputs), options = request.options,
       stale = call.prepared<PreparedZset>(),
       limits = call.server().keyspace().encoding_limits()](LongWork& work) mutable {
        // Freed here, not on the event loop.
        stale.reset();
        auto prepared = std::make_shared<PreparedZset>(std::move(sources), limits);
        Fill(prepared->result, ViewsOf(prepared->sources), options);
        work.prepared = std::move(prepared);
      });
}

/// A large result is computed outside the event loop, and put in place only if its sources have not
/// changed meanwhile. Otherwise it would not come from one moment, and the log, which repeats the
/// command, would give another result.
void StoreCombinedZsets(Call& call, Combine combine, KeyEvent event) {
  const std::optional<CombineRequest> request = ParseRequest(call, combine, Form::kStore, 2);
  if (!request) return;
  const StoreKeys keys{.target = 1,
                       .first_source = request->first_key,
                       .end_source = request->first_key + request->inputs.size()};
  const std::shared_ptr<PreparedZset> prepared = call.prepared<PreparedZset>();
  if (prepared != nullptr && prepared->ComesFrom(request->inputs)) {
    return StoreZset(call, prepared->result, event, keys);
  }
  if (Cost(*request) > kLongWorkItems && call.may_prepare()) return PrepareStore(call, *request);
  ScratchZset result(call.server().keyspace().encoding_limits());
  Fill(result, request->inputs, request->options);
  StoreZset(call, result, event, keys);
}

void ZInterStore(Call& call) { StoreCombinedZsets(call, Combine::kIntersection, "zinterstore"); }
void ZUnionStore(Call& call) { StoreCombinedZsets(call, Combine::kUnion, "zunionstore"); }
void ZDiffStore(Call& call) { StoreCombinedZsets(call, Combine::kDifference, "zdiffstore"); }

void ZInterCard(Call& call) {
  std::optional<CombineRequest> request =
      ParseRequest(call, Combine::kIntersection, Form::kCount, 1);
  if (!request) return;
  ReplyFromInputs(call, *std::move(request),
                  [](ReplyWriter& reply, const std::vector<ScoredInput>& inputs,
                     const CombineOptions& options) {
                    size_t common = 0;
                    ForEachCommon(Weighted(inputs, options), Aggregate::kSum,
                                  [&](const ScoredItem&) { return ++common != options.limit; });
                    reply.Integer(static_cast<int64_t>(common));
                  });
}

constexpr std::string_view kOfUnion = "O(N)+O(M*log(M)) for N members in all, M in the result.";
constexpr std::string_view kOfInter =
    "O(N*K)+O(M*log(M)) at most for K inputs, the smallest of N members, M in the result.";
constexpr std::string_view kOfDiff =
    "O(N*K)+O(M*log(M)) at most for K inputs, the first of N members, M in the result.";

// Read as a table.
// clang-format off
constexpr CommandRow kZsetAlgebraCommands[] = {
    {.name = "zdiff", .run = ZDiff, .arity = -3, .flags = kReadonly | kMovableKeys,
     .keys = {CountedKeys(1, kRO | kAccess)}, .since = "6.2.0", .complexity = kOfDiff,
     .syntax = "numkeys key [key ...] [WITHSCORES]",
     .summary = "Returns the members of the first sorted set that are in none of the others."},
    {.name = "zdiffstore", .run = ZDiffStore, .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {Key(1, kOW | kUpdate), CountedKeys(2, kRO | kAccess)}, .since = "6.2.0",
     .complexity = kOfDiff, .syntax = "destination numkeys key [key ...]",
     .summary = "Stores the members of the first sorted set that are in none of the others."},
    {.name = "zinter", .run = ZInter, .arity = -3, .flags = kReadonly | kMovableKeys,
     .keys = {CountedKeys(1, kRO | kAccess)}, .since = "6.2.0", .complexity = kOfInter,
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [aggregate: AGGREGATE <SUM | "
               "MIN | MAX>] [WITHSCORES]",
     .summary = "Returns the members that all sorted sets have."},
    {.name = "zintercard", .run = ZInterCard, .arity = -3, .flags = kReadonly | kMovableKeys,
     .keys = {CountedKeys(1, kRO | kAccess)}, .since = "7.0.0",
     .complexity = "O(N*K) at most for K inputs, the smallest of N members.",
     .syntax = "numkeys key [key ...] [LIMIT limit]",
     .summary = "Returns how many members all sorted sets have in common."},
    {.name = "zinterstore", .run = ZInterStore, .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {Key(1, kOW | kUpdate), CountedKeys(2, kRO | kAccess)}, .since = "2.0.0",
     .complexity = kOfInter,
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [aggregate: "
               "AGGREGATE <SUM | MIN | MAX>]",
     .summary = "Stores the members that all sorted sets have."},
    {.name = "zunion", .run = ZUnion, .arity = -3, .flags = kReadonly | kMovableKeys,
     .keys = {CountedKeys(1, kRO | kAccess)}, .since = "6.2.0", .complexity = kOfUnion,
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [aggregate: AGGREGATE <SUM | "
               "MIN | MAX>] [WITHSCORES]",
     .summary = "Returns the members that any of the sorted sets has."},
    {.name = "zunionstore", .run = ZUnionStore, .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {Key(1, kOW | kUpdate), CountedKeys(2, kRO | kAccess)}, .since = "2.0.0",
     .complexity = kOfUnion,
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [aggregate: "
               "AGGREGATE <SUM | MIN | MAX>]",
     .summary = "Stores the members that any of the sorted sets has."},
};
// clang-format on

}  // namespace

CommandFamily ZsetAlgebraCommands() {
  return {CommandGroup::kSortedSet, kCatSortedSet, kZsetAlgebraCommands};
}

}  // namespace cloakroom
