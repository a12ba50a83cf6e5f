#include "server/commands/support/debug_protocol.h"

namespace cloakroom {
namespace {

void ThreeIntegers(ReplyWriter& reply) {
  for (int i = 0; i < 3; ++i) reply.Integer(i);
}

void SampleMap(ReplyWriter& reply) {
  reply.Map(3);
  for (int i = 0; i < 3; ++i) {
    reply.Integer(i);
    reply.Bool(i == 1);
  }
}

void SampleAttribute(ReplyWriter& reply) {
  if (reply.resp() == 3) {
    reply.Attribute(1);
    reply.Bulk("key-popularity");
    reply.Array(2);
    reply.Bulk("key:123");
    reply.Integer(90);
  }
  reply.Bulk("Some real reply following the attribute");
}

void SamplePush(Call& call) {
  ReplyWriter& reply = call.reply();
  if (reply.resp() == 2) return call.Error("ERR RESP2 is not supported by this command");
  reply.Push(2);
  reply.Bulk("server-cpu-usage");
  reply.Integer(42);
  reply.Bulk("Some real reply following the push reply");
}

}  // namespace

void DebugProtocol(Call& call) {
  ReplyWriter& reply = call.reply();
  if (call.Is(2, "string")) return reply.Bulk("Hello World");
  if (call.Is(2, "integer")) return reply.Integer(12345);
  if (call.Is(2, "double")) return reply.Double(3.141);
  if (call.Is(2, "null")) return reply.Null();
  if (call.Is(2, "bignum")) return reply.BigNumber("1234567999999999999999999999999999999");
  if (call.Is(2, "map")) return SampleMap(reply);
  if (call.Is(2, "attrib")) return SampleAttribute(reply);
  if (call.Is(2, "push")) return SamplePush(call);
  if (call.Is(2, "true")) return reply.Bool(true);
  if (call.Is(2, "false")) return reply.Bool(false);
  if (call.Is(2, "verbatim")) return reply.Verbatim("txt", "This is a verbatim\nstring");
  if (call.Is(2, "array")) {
    reply.Array(3);
    ThreeIntegers(reply);
  } else if (call.Is(2, "set")) {
    reply.Set(3);
    ThreeIntegers(reply);
  } else {
    call.Error(
        "ERR Wrong protocol type name. Please use one of the following: string|integer|double|"
        "bignum|null|array|set|map|attrib|push|verbatim|true|false");
  }
}

}  // namespace cloakroom
