#include "server/commands/support/zset_removal.h"

#include <memory>
#include <utility>

#include "server/commands/support/scratch_zset.h"

namespace cloakroom {
namespace {

/// What is left of a large sorted set, computed outside the event loop, and from what.
struct PreparedRest {
  PreparedRest(SharedValue its_source, const RankRange& its_range, const EncodingLimits& limits)
      : source(std::move(its_source)), range(its_range), rest(limits) {
    rest.Adopt(source);
    rest.RemoveRange(range.first, range.count);
  }

  bool IsFor(const Zset& zset, const RankRange& wanted) const {
    return zset.Is(source) && range.first == wanted.first && range.count == wanted.count;
  }

  SharedValue source;
  RankRange range;
  ScratchZset rest;
};

void Prepare(Call& call, const Zset& zset, const RankRange& range) {
  call.PrepareOnWorker(
      [source = zset.Share(), range, stale = call.prepared<PreparedRest>(),
       limits = call.server().keyspace().encoding_limits()](LongWork& work) mutable {
        // Freed here, not on the event loop.
        stale.reset();
        work.prepared = std::make_shared<PreparedRest>(std::move(source), range, limits);
      });
}

}  // namespace

bool RemoveFromZset(Call& call, WriteScope& scope, const RankRange& range) {
  const Zset zset(scope.view());
  if (range.count == zset.size()) {
    scope.Delete();
    return true;
  }
  const std::shared_ptr<PreparedRest> prepared = call.prepared<PreparedRest>();
  if (prepared != nullptr && prepared->IsFor(zset, range)) {
    scope.LogAs(call.db().index(), call.args());
    prepared->rest.MoveInto(scope, scope.expire_at_ms());
    return true;
  }
  if (range.count > kLongRemoval && call.may_prepare()) {
    Prepare(call, zset, range);
    return false;
  }
  const EncodingLimits& limits = call.server().keyspace().encoding_limits();
  MutableZset(scope, limits).RemoveRange(range.first, range.count);
  return true;
}

}  // namespace cloakroom
