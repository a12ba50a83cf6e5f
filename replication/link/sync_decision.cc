#include "replication/link/sync_decision.h"

#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/link/link_errors.h"

namespace cloakroom {
namespace {

using DecisionKind = SyncDecision::Kind;
using Reason = SyncDecision::Reason;

/// One decision in the making.
class Decider {
 public:
  Decider(const ReplicationHistory& history, const SyncRequest& request, const SyncServer& server)
      : history_(history),
        request_(request),
        server_(server),
        name_(request.options.Name(request.peer_ip)) {}

  SyncDecision Decide() {
    if (request_.is_replica) return std::move(decision_);
    if (request_.psync && request_.failover) return Failover();
    if (!Refused()) Answer();
    return std::move(decision_);
  }

 private:
  void Notice(std::initializer_list<std::string_view> parts) {
    decision_.lines.push_back(LinkLine::Notice(Concat(parts)));
  }
  void Warning(std::initializer_list<std::string_view> parts) {
    decision_.lines.push_back(LinkLine::Warning(Concat(parts)));
  }
  void Refuse(std::string_view error) {
    decision_.kind = DecisionKind::kError;
    decision_.error = error;
  }

  SyncDecision Failover() {
    Warning({"Failover request received for replid ", BeforeNul(request_.id), "."});
    if (!server_.is_replica) {
      Refuse("ERR PSYNC FAILOVER can't be sent to a master.");
    } else if (!history_.id1().Is(request_.id)) {
      Refuse("ERR PSYNC FAILOVER replid must match my replid.");
    } else {
      decision_.kind = DecisionKind::kPromote;
      decision_.promoted = LinkLine::Notice(
          Concat({"MASTER MODE enabled (failover request from '", request_.client, "')"}));
    }
    return std::move(decision_);
  }

  bool Refused() {
    if (server_.failing_over) {
      Refuse("NOMASTERLINK Can't SYNC while failing over");
    } else if (server_.is_replica && !server_.link_up) {
      Refuse("NOMASTERLINK Can't SYNC while not connected with my master");
    } else if (request_.pending_output) {
      Refuse("ERR SYNC and PSYNC are invalid with pending output");
    } else if (request_.options.filtered() && !request_.options.capa_eof) {
      Refuse("ERR Filtered replica requires EOF capability");
    }
    return decision_.kind == DecisionKind::kError;
  }

  void Answer() {
    Notice({"Replica ", name_, " asks for synchronization"});
    if (!request_.psync) return Full(Reason::kWanted);
    const std::optional<int64_t> offset = ParseInteger(request_.offset);
    if (!offset) {
      Warning({"Replica ", name_, " asks for synchronization but with a wrong offset"});
      return Refuse(kNoInteger);
    }
    const Reason reason = Check(*offset);
    if (reason == Reason::kNone) return Continue(*offset);
    Explain(reason, *offset);
    decision_.sync_partial_err = !request_.id.starts_with('?');
    Full(reason);
  }

  /// Why `offset` is not granted, or kNone.
  Reason Check(int64_t offset) const {
    if (!history_.Knows(request_.id, offset)) {
      if (request_.id.starts_with('?')) return Reason::kWanted;
      return history_.id2().Is(request_.id) ? Reason::kBeyondId2 : Reason::kOtherId;
    }
    if (!history_.backlog()) return Reason::kNoBacklog;
    if (offset < First()) return Reason::kBeforeBacklog;
    return offset > Tail() + 1 ? Reason::kBehindTail : Reason::kNone;
  }

  int64_t First() const { return history_.FirstByte(server_.stream, server_.backlog_size); }
  int64_t Tail() const { return history_.OffsetAt(server_.stream.tail); }

  void Continue(int64_t offset) {
    decision_.kind = DecisionKind::kContinue;
    decision_.position = history_.PositionOf(offset);
    decision_.sync_partial_ok = true;
    const bool names_id = request_.options.capa_psync2;
    decision_.reply =
        Concat({"+CONTINUE", names_id ? " " : "", names_id ? history_.id1().text() : "", "\r\n"});
    Notice({"Partial resynchronization request from ", name_, " accepted. Sending ",
            std::to_string(Tail() - offset + 1), " bytes of backlog starting from offset ",
            std::to_string(offset), "."});
  }

  void Full(Reason reason) {
    decision_.kind = DecisionKind::kFull;
    decision_.reason = reason;
    decision_.sync_full = true;
  }

  void Explain(Reason reason, int64_t offset) {
    switch (reason) {
      case Reason::kNone:
        return;
      case Reason::kWanted:
        return Notice({"Full resync requested by replica ", name_});
      case Reason::kOtherId:
        return Notice(
            {"Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '",
             BeforeNul(request_.id), "', my replication IDs are '", history_.id1().text(),
             "' and '", history_.id2().text(), "')"});
      case Reason::kBeyondId2:
        return Notice(
            {"Partial resynchronization not accepted: Requested offset for second ID was ",
             std::to_string(offset), ", but I can reply up to ",
             std::to_string(history_.id2_limit())});
      case Reason::kNoBacklog:
      case Reason::kBeforeBacklog:
      case Reason::kBehindTail:
        return ExplainBacklog(reason, offset);
    }
  }

  void ExplainBacklog(Reason reason, int64_t offset) {
    Notice({"Unable to partial resync with replica ", name_,
            " for lack of backlog (Replica request was: ", std::to_string(offset), ")."});
    if (offset > Tail())
      Warning({"Warning: replica ", name_,
               " tried to PSYNC with an offset that is greater than the master replication "
               "offset."});
    // A negative offset asks for nothing that ever was.
    if (reason == Reason::kBeforeBacklog && offset > 0)
      Notice({"The backlog begins ", std::to_string(First() - offset),
              " bytes behind what replica ", name_, " asked for (see repl-backlog-size)"});
  }

  const ReplicationHistory& history_;
  const SyncRequest& request_;
  const SyncServer& server_;
  const std::string name_;
  SyncDecision decision_;
};

}  // namespace

SyncDecision DecideSync(const ReplicationHistory& history, const SyncRequest& request,
                        const SyncServer& server) {
  return Decider(history, request, server).Decide();
}

}  // namespace cloakroom
