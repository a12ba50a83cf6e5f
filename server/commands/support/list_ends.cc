#include "server/commands/support/list_ends.h"

#include <string>

#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

size_t IndexOf(const List& list, ListEnd end) {
  return end == ListEnd::kFront ? 0 : list.size() - 1;
}

/// The events of a move within one list. A list of one element keeps it, and so its expiry.
void Rotate(const HeldKey& key, ListEnd from_end, ListEnd to_end, ReplyWriter& reply) {
  WriteScope scope = key.Open();
  const EncodingLimits& limits = key.db.keyspace().encoding_limits();
  MutableList list(scope, limits);
  const std::string element(list.view().At(IndexOf(list.view(), from_end)).element().view());
  if (from_end != to_end && list.view().size() > 1) {
    list.Push(to_end, element);
    list.Pop(from_end, 1);
  }
  scope.Changed(PushEventOf(to_end));
  scope.Changed(PopEventOf(from_end));
  reply.Bulk(std::string_view(element));
}

}  // namespace

ListEnd TakeListEnd(Arguments& args) {
  if (args.Word("LEFT")) return ListEnd::kFront;
  if (!args.Word("RIGHT")) args.SyntaxError();
  return ListEnd::kBack;
}

KeyEvent PushEventOf(ListEnd end) { return end == ListEnd::kFront ? "lpush" : "rpush"; }

KeyEvent PopEventOf(ListEnd end) { return end == ListEnd::kFront ? "lpop" : "rpop"; }

void ReplyFromEnd(ReplyWriter& reply, const List& list, ListEnd end, size_t count) {
  if (count == 0) return;
  ListCursor cursor = list.At(IndexOf(list, end));
  for (; count > 0; --count) {
    reply.Bulk(cursor.element().view());
    end == ListEnd::kFront ? cursor.Next() : cursor.Previous();
  }
}

void MoveElement(const HeldKey& from, ListEnd from_end, const HeldKey& to, ListEnd to_end,
                 ReplyWriter& reply) {
  if (from.key == to.key) return Rotate(from, from_end, to_end, reply);
  const EncodingLimits& limits = from.db.keyspace().encoding_limits();
  std::string element;
  {
    WriteScope scope = from.Open();
    MutableList list(scope, limits);
    element = list.view().At(IndexOf(list.view(), from_end)).element().view();
    list.Pop(from_end, 1);
  }
  {
    WriteScope scope = to.Open();
    MutableList(scope, limits).Push(to_end, element);
    scope.Changed(PushEventOf(to_end));
  }
  reply.Bulk(std::string_view(element));
  // Redis tells of the push first.
  WriteScope scope = from.Open();
  scope.Changed(PopEventOf(from_end));
  if (!scope.exists()) scope.Changed("del");
}

}  // namespace cloakroom
