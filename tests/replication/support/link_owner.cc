#include "tests/replication/support/link_owner.h"

#include <utility>

namespace cloakroom {
namespace {

std::string Shown(std::string_view bytes) {
  std::string shown;
  for (char c : bytes) {
    if (c == '\n') shown += '|';
    if (c != '\r' && c != '\n') shown += c;
  }
  return shown;
}

struct Describe {
  std::string operator()(const link_action::Resolve& action) const {
    return "resolve " + action.host + ":" + std::to_string(action.port);
  }
  std::string operator()(const link_action::Connect&) const { return "connect"; }
  std::string operator()(const link_action::Write& action) const {
    return "write " + Shown(action.bytes);
  }
  std::string operator()(const link_action::Close&) const { return "close"; }
  std::string operator()(const link_action::OpenReceiver& action) const {
    const std::string_view mark(action.size.mark.data(), action.size.mark.size());
    return "receive " +
           (action.size.has_mark ? std::string(mark) : std::to_string(action.size.length));
  }
  std::string operator()(const link_action::Load&) const { return "load"; }
  std::string operator()(const link_action::Discard&) const { return "discard"; }
  std::string operator()(const link_action::Synced& action) const {
    if (!action.point) return "synced";
    return "synced " + std::string(action.point->id.text()) + " " +
           std::to_string(action.point->offset);
  }
  std::string operator()(const link_action::Continue& action) const {
    return "continue " + std::string(action.id.text()) + (action.changed ? " changed" : "");
  }
  std::string operator()(const link_action::StreamEnded&) const { return "stream ended"; }
  std::string operator()(const link_action::FailoverAnswered& action) const {
    return action.accepted ? "failover accepted" : "failover rejected";
  }
  std::string operator()(const LinkLine& line) const {
    return (line.level == LinkLevel::kWarning ? "# " : "* ") + line.text;
  }
};

}  // namespace

std::string DescribeAction(const PrimaryLinkAction& action) {
  return std::visit(Describe(), action);
}

void LinkOwner::Do(const PrimaryLinkActions& actions) {
  for (const PrimaryLinkAction& action : actions) {
    trace_.push_back(DescribeAction(action));
    if (const auto* resolve = std::get_if<link_action::Resolve>(&action)) {
      attempt = resolve->attempt;
    } else if (std::holds_alternative<link_action::Connect>(action)) {
      socket_open_ = true;
    } else if (std::holds_alternative<link_action::Close>(action)) {
      socket_open_ = false;
      kept_.clear();
    } else if (const auto* open = std::get_if<link_action::OpenReceiver>(&action)) {
      receiver_.emplace(open->size, data);
      receiving = true;
    } else if (std::holds_alternative<link_action::Discard>(action) ||
               std::holds_alternative<link_action::Load>(action)) {
      receiver_.reset();
      receiving = false;
    }
  }
}

void LinkOwner::Read(std::string_view bytes) {
  std::string all = std::exchange(kept_, {});
  all += bytes;
  std::string_view rest = all;
  while (socket_open_ && !rest.empty() && link.bytes_to() != PrimaryLink::BytesTo::kNobody) {
    Pass(rest);
  }
  if (socket_open_) kept_ = rest;
}

void LinkOwner::Pass(std::string_view& bytes) {
  if (link.bytes_to() == PrimaryLink::BytesTo::kLink) {
    Do(link.Receive(bytes, now_ms));
  } else if (link.bytes_to() == PrimaryLink::BytesTo::kReceiver) {
    const size_t taken = receiver_->Receive(bytes);
    bytes.remove_prefix(taken);
    Do(link.TransferReceived(taken, receiver_->done(), now_ms));
  } else {
    stream += bytes;
    bytes = {};
    link.StreamReceived(now_ms);
  }
}

std::vector<std::string> LinkOwner::TakeTrace() { return std::exchange(trace_, {}); }

}  // namespace cloakroom
