#include "server/commands/support/scratch_zset.h"

#include <algorithm>
#include <string>

#include "server/commands/support/log_stored.h"
#include "storage/access/lookup.h"
#include "storage/values/shared_value.h"

namespace cloakroom {

void ScratchZset::Adopt(const SharedValue& other) {
  const ValueView value = other.view();
  const std::string payload = CopyPayload(value);
  slot_.Create(Zset::kType, value.encoding);
  std::copy(payload.begin(), payload.end(), slot_.Splice(0, 0, payload.size()));
  slot_.set_outgrown(value.outgrown);
}

void StoreZset(Call& call, ScratchZset& result, KeyEvent event, const StoreKeys& keys) {
  const size_t size = result.size();
  WriteScope target = call.Open(call.arg(keys.target));
  const bool existed = target.exists();
  if (size > 0) {
    for (size_t i = keys.first_source; i < keys.end_source; ++i) {
      KeepForLog(call.db(), call.arg(i), call.HashOf(call.arg(i)));
    }
    LogStored(call, target, result.value(), kNoExpiry);
    result.MoveInto(target);
    target.Changed(event);
  } else if (existed) {
    target.Delete();
    target.Changed("del");
  }
  call.reply().Integer(static_cast<int64_t>(size));
}

}  // namespace cloakroom
