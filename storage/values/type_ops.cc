#include "storage/values/type_ops.h"

#include "storage/values/hash.h"
#include "storage/values/list.h"
#include "storage/values/set.h"
#include "storage/values/stream.h"
#include "storage/values/string_value.h"
#include "storage/values/zset.h"

namespace cloakroom {

constinit const TypeOps* const kTypeOps[kValueTypes] = {
    &kStringOps,
    &kHashOps,
    &kSetOps,
    &kListOps,
    &kZsetOps,
    &kStreamOps,
};

}  // namespace cloakroom
