#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_VALUE_TEXT_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_VALUE_TEXT_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/values/type_ops.h"

namespace cloakroom {

/// An item as tests write it: "member", "field=value" or "field=value@expiry".
inline std::string ItemText(const TypeOps& ops, const Item& item) {
  std::string text(item.field);
  if (ops.has_values) text += "=" + std::string(item.value.bytes);
  if (item.expires_at_ms != kNever) text += "@" + std::to_string(item.expires_at_ms);
  return text;
}

/// What a value of any type holds, in the type's order, with a blank between two items.
inline std::string TextOf(const ValueView& value, int64_t now_ms = 0) {
  const TypeOps& ops = OpsOf(value.type);
  std::string text;
  const auto add = [&](const Item& item) {
    text += (text.empty() ? "" : " ") + ItemText(ops, item);
  };
  ops.for_each(value, add, now_ms);
  return text;
}

/// The same, sorted, so that equal values give equal text.
inline std::string SortedTextOf(const ValueView& value, int64_t now_ms = 0) {
  const TypeOps& ops = OpsOf(value.type);
  std::vector<std::string> items;
  ops.for_each(value, [&](const Item& item) { items.push_back(ItemText(ops, item)); }, now_ms);
  std::sort(items.begin(), items.end());
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : " ") + item;
  return text;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_VALUE_TEXT_H_
