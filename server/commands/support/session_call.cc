#include "server/commands/support/session_call.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/config/config.h"
#include "server/log/log.h"
#include "server/roles/replication.h"
#include "storage/access/lookup.h"

namespace cloakroom {
namespace {

constexpr std::string_view kNoFence = "ERR fence is not an integer or out of range";

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

SessionCall::SessionCall(Call& call, Intent intent)
    : call_(call),
      sessions_(call.server().sessions()),
      key_{call.hold(), call.db(), call.arg(1), call.HashOf(call.arg(1)), call.now_ms()},
      context_(sessions_.Context()) {
  // A replica's lock would be of nobody's use, even if the replica is writable: its primary's
  // stream meets no locks.
  if (intent == Intent::kChange && call.server().replication().is_replica()) {
    ok_ = false;
    call.Error(kReadOnlyReplica);
    return;
  }
  const Entry* const entry = call.Find(key_.key);
  if (entry == nullptr || entry->type() == ValueType::kHash) return;
  ok_ = false;
  call.Error(kWrongType);
}

SessionContent SessionCall::Content() const {
  return ReadSession(PeekKey(key_.hold, key_.db, key_.key, key_.hash, key_.now_ms), key_.now_ms);
}

uint64_t SessionCall::party() {
  Client& client = call_.client();
  if (client.session_party == 0) client.session_party = sessions_.NewParty();
  return client.session_party;
}

std::string SessionCall::DefaultOwner() const { return call_.client().address.Text() + "|0"; }

void SessionCall::NoteHeld(int64_t fence) {
  for (HeldSession& held : call_.client().held_sessions) {
    if (held.db != key_.db.index() || held.key != key_.key) continue;
    held.fence = fence;
    return;
  }
  call_.client().held_sessions.push_back({key_.db.index(), std::string(key_.key), fence});
}

void SessionCall::ForgetHeld(int64_t fence) {
  std::erase_if(call_.client().held_sessions, [&](const HeldSession& held) {
    return held.fence == fence && held.db == key_.db.index() && held.key == key_.key;
  });
}

void SessionCall::ForgetHeld() {
  std::erase_if(call_.client().held_sessions, [&](const HeldSession& held) {
    return held.db == key_.db.index() && held.key == key_.key;
  });
}

void SessionCall::ReplyState(int64_t fence, std::optional<std::string_view> known,
                             const BrokenSession* broken) {
  const SessionContent content = Content();
  const SessionVersion version(content.hash);
  ReplyWriter& reply = call_.reply();
  reply.Array(6);
  reply.Integer(fence);
  const bool unchanged = known && *known == version.view();
  content.data && !unchanged ? call_.ReplyItem(*content.data) : reply.Null();
  reply.Integer(content.hash.writes);
  reply.Bulk(version.view());
  reply.Integer(content.ttl_ms);
  if (broken == nullptr) return reply.Null();
  std::string text = absl::StrCat(broken->owner, " ", broken->held_ms, "ms");
  if (!broken->req.empty()) absl::StrAppend(&text, " ", broken->req);
  reply.Bulk(text);
}

void SessionCall::ReplyFenced(const Fenced& fenced) {
  ++stats().fenced;
  std::string text = absl::StrCat("FENCED ", Absl(FencedReasonName(fenced.reason)));
  if (!fenced.by.empty()) absl::StrAppend(&text, " by ", fenced.by);
  if (fenced.after_ms > 0) absl::StrAppend(&text, " after ", fenced.after_ms, " ms");
  call_.Error(text);
  const std::string address = call_.client().address.Text();
  key_.hold.Afterwards(
      [shown = std::string(ShortKey(key_.key)), text, by_req = fenced.by_req,
       who = fenced.owner.empty() ? address : ShownClient(fenced.owner, fenced.req)] {
        LogNotice("Session {}…: {} was answered {}", shown, who, ShownClient(text, by_req));
      });
}

void SessionCall::ReplyLocked(SessionLock& lock, size_t ahead) {
  ++stats().timeouts;
  std::string who = "a plain client holds it";
  if (const SessionHolder* holder = lock.holder()) {
    who = absl::StrCat(holder->client.owner, " holds it for ", context_.now_ms - holder->since_ms,
                       " ms");
  } else if (lock.state() == SessionLock::State::kTurn) {
    who = "plain clients have their turn";
  } else if (const SessionContent content = Content(); !content.hash.pid.empty()) {
    who = absl::StrCat(Absl(SessionPid::Parse(content.hash.pid).owner), " holds it");
    if (const int64_t since_ms = lock.plain_since_ms(); since_ms != kNever)
      absl::StrAppend(&who, " for ", context_.now_ms - since_ms, " ms");
  }
  call_.Error(absl::StrCat("LOCKED ", who, ", ", ahead, " wait before you"));
}

int64_t TakeFence(Arguments& args) { return args.IntegerIn(0, kMaxFence, kNoFence); }

}  // namespace cloakroom
