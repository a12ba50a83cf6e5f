#include "server/commands/support/zset_add.h"

#include <cmath>
#include <optional>

#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// Whether the options keep a member from its new score.
bool Skips(const ZsetAddOptions& options, std::optional<double> old_score, double score) {
  if (!old_score) return options.xx;
  return options.nx || (options.lt && score >= *old_score) || (options.gt && score <= *old_score);
}

/// ZADD INCR, whose reply is the new score.
void Increment(Call& call, Writing<MutableZset>& zset, const ScoredItem& item,
               const ZsetAddOptions& options) {
  const std::optional<double> old_score = zset->view().Score(item.member);
  if (options.nx && old_score) return call.reply().Null();
  // Not 0 + score: that would lose the sign of a zero.
  const double score = old_score ? *old_score + item.score : item.score;
  if (std::isnan(score)) return call.Error("ERR resulting score is not a number (NaN)");
  if (Skips(options, old_score, score)) return call.reply().Null();
  if (!old_score || *old_score != score) {
    zset->Put(item.member, score, old_score);
    zset.Changed("zincr");
  }
  call.reply().Double(score);
}

}  // namespace

void AddToZset(Call& call, std::span<const ScoredItem> items, const ZsetAddOptions& options) {
  Writing<MutableZset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  if (options.incr) return Increment(call, zset, items[0], options);
  int64_t added = 0;
  int64_t updated = 0;
  for (const ScoredItem& item : items) {
    const std::optional<double> old_score = zset->view().Score(item.member);
    if (Skips(options, old_score, item.score)) continue;
    if (old_score && *old_score == item.score) continue;
    zset->Put(item.member, item.score, old_score);
    (old_score ? updated : added) += 1;
  }
  if (added + updated > 0) zset.Changed("zadd", added + updated);
  call.reply().Integer(options.ch ? added + updated : added);
}

}  // namespace cloakroom
