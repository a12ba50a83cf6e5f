#include "tests/replication/simulator/sim_follower.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "protocol/text.h"
#include "replication/stream/command_encoder.h"
#include "tests/replication/simulator/sim_server.h"

namespace cloakroom {
namespace {

bool IsOnly(const RecordReader& record, std::string_view name) {
  return !record.transaction() && record.commands() == 1 &&
         EqualsIgnoreCase(record.arguments(0)[0], name);
}

/// The record as a log has it: nothing of what changes no data, and no empty lines.
std::string TextForLog(const RecordReader& record) {
  for (const std::string_view name : {"ping", "publish", "replconf"}) {
    if (IsOnly(record, name)) return "";
  }
  std::string text;
  const auto append = [&](std::string_view word) { AppendCommand(text, std::array{word}); };
  if (record.transaction()) append("MULTI");
  for (size_t i = 0; i < record.commands(); ++i) AppendCommand(text, record.arguments(i));
  if (record.transaction()) append("EXEC");
  return text;
}

}  // namespace

// ---- the role

void SimFollower::Follow(int primary, const std::optional<HistoryPoint>& cached, bool failover) {
  target_ = primary;
  link_.set_settings({.announced_port = SimServer::PortOf(server_.machine_.number),
                      .timeout_ms = SimEnvironment::kTimeoutS * 1000,
                      .load = LoadMode()});
  Do(link_.Stop());
  Do(link_.Start({SimServer::kHost, SimServer::PortOf(primary)}, cached, failover,
                 server_.environment_.now_ms()));
}

SyncLoad SimFollower::LoadMode() const {
  // As with on-empty-db.
  const SyncLoad mode = server_.machine_.load;
  return mode == SyncLoad::kInPlace && !server_.data_.empty() ? SyncLoad::kDisk : mode;
}

void SimFollower::GiveUpLoadInPlace() {
  if (!loading_in_place()) return;
  load_.reset();
  receiver_.reset();
  server_.LoseData();
}

// ---- the link's actions

void SimFollower::Do(const PrimaryLinkActions& actions) {
  for (const PrimaryLinkAction& action : actions) {
    std::visit([this](const auto& one) { Do(one); }, action);
  }
}

void SimFollower::Do(const LinkLine& line) {
  server_.environment_.Trace({std::to_string(server_.machine_.number), ": ", line.text});
}

void SimFollower::Do(const link_action::Write& action) {
  output_ += action.bytes;
  // What the ACKs among these bytes say is true of the data that came by so many loads.
  if (SimNetwork::Connection* const found = server_.environment_.network.Find(connection_))
    found->loads = server_.machine_.loads;
  Send();
}

void SimFollower::Do(const link_action::Close&) {
  server_.environment_.network.Close(connection_, SimEnd::kReplica);
  connection_ = -1;
  output_.clear();
}

void SimFollower::Do(const link_action::OpenReceiver& action) {
  load_.emplace(Load{.mode = action.load});
  receiver_.emplace(action.size, load_->received);
  if (action.load == SyncLoad::kInPlace) server_.log_.Suspend();
}

void SimFollower::Do(const link_action::Load&) {
  receiver_.reset();
  load_->whole = true;
}

void SimFollower::Do(const link_action::Discard&) {
  receiver_.reset();
  GiveUpLoadInPlace();
  load_.reset();
}

void SimFollower::Do(const link_action::Continue& action) {
  server_.NoteContinued(action.id);
  BeginStream();
}

void SimFollower::Do(const link_action::StreamEnded&) {
  EndStream();
  UpdateProgress();
}

void SimFollower::Do(const link_action::FailoverAnswered& action) {
  server_.NoteFailoverAnswer(action.accepted);
}

// ---- the network

void SimFollower::Step(bool fails) {
  const int64_t now_ms = server_.environment_.now_ms();
  if (resolving_) {
    const uint64_t attempt = *std::exchange(resolving_, std::nullopt);
    return Do(link_.Resolved(
        attempt, fails ? absl::UnavailableError("no such name") : absl::OkStatus(), now_ms));
  }
  if (connecting_) return Connect(fails);
  if (!load_) return;
  if (load_->whole && !load_->result) {
    load_->result = FinishLoad(fails);
  } else if (load_->result) {
    const absl::Status result = *load_->result;
    load_.reset();
    Do(result.ok() ? link_.LoadDone(now_ms) : link_.LoadFailed(result, now_ms));
  }
}

void SimFollower::Connect(bool fails) {
  const uint64_t attempt = *std::exchange(connecting_, std::nullopt);
  absl::Status status = absl::UnavailableError("refused");
  if (!fails && link_.state() == PrimaryLink::State::kConnecting) {
    connection_ = server_.environment_.connect(server_.machine_.number, target_);
    if (connection_ >= 0) status = absl::OkStatus();
  }
  Do(link_.Connected(attempt, status, server_.environment_.now_ms()));
}

void SimFollower::NoteEnded() {
  UpdateProgress();
  Do(link_.ConnectionLost("", server_.environment_.now_ms()));
}

void SimFollower::Send() {
  if (connection_ < 0) return;
  output_.erase(0, server_.environment_.network.Send(connection_, SimEnd::kReplica, output_));
}

size_t SimFollower::Receive(std::string_view bytes) {
  const int connection = connection_;
  const size_t before = bytes.size();
  const auto now_ms = [this] { return server_.environment_.now_ms(); };
  while (!bytes.empty() && connection_ == connection) {
    switch (link_.bytes_to()) {
      case PrimaryLink::BytesTo::kNobody:
        return before - bytes.size();
      case PrimaryLink::BytesTo::kLink:
        Do(link_.Receive(bytes, now_ms()));
        break;
      case PrimaryLink::BytesTo::kReceiver: {
        const size_t taken = receiver_->Receive(bytes);
        bytes.remove_prefix(taken);
        Do(link_.TransferReceived(taken, receiver_->done(), now_ms()));
        break;
      }
      case PrimaryLink::BytesTo::kStream: {
        const size_t taken = ReceiveStream(bytes);
        if (taken == 0) return before - bytes.size();
        bytes.remove_prefix(taken);
        link_.StreamReceived(now_ms());
      }
    }
  }
  return before - bytes.size();
}

// ---- full syncs

absl::Status SimFollower::FinishLoad(bool fails) {
  StringSource source(load_->received.text());
  std::optional<SimData::Loaded> loaded = SimData::Load(source);
  if (!loaded) server_.environment_.Fail("a full sync's data is no RDB");
  // With spare databases the old data stays until all is loaded, and so does its log.
  if (!fails || load_->mode != SyncLoad::kSwap) server_.log_.Suspend();
  if (!loaded || fails) {
    ++server_.environment_.failed_loads;
    if (load_->mode != SyncLoad::kSwap) server_.LoseData();
    return absl::DataLossError("not loaded");
  }
  server_.TakeOver(link_.sync_point(), *std::move(loaded));
  return absl::OkStatus();
}

// ---- the stream

void SimFollower::BeginStream() {
  DropStream();
  stream_open_ = true;
}

void SimFollower::DropStream() {
  stream_open_ = false;
  const int64_t tail = server_.stream_.tail();
  if (received_ > tail) server_.stream_.Cut(received_);
  received_ = fed_ = tail;
  reader_.emplace(RecordLimits{}, tail);
  has_record_ = false;
}

void SimFollower::EndStream() {
  if (server_.environment_.mistake == SimMistake::kKeepsTornRecord && received_ > 0 &&
      received_ > server_.stream_.tail()) {
    server_.log_.file().Extend(received_, server_.data_.db(), std::nullopt);
  }
  DropStream();
}

void SimFollower::FinishStream() {
  stream_open_ = false;
  while (has_record_ || FindRecord()) RunRecord();
  DropStream();
}

size_t SimFollower::ReceiveStream(std::string_view bytes) {
  if (!stream_open_) return 0;
  const std::span<char> room = server_.stream_.Room(received_);
  const size_t taken = bytes.copy(room.data(), room.size());
  received_ += static_cast<int64_t>(taken);
  return taken;
}

bool SimFollower::Apply(int most) {
  for (int i = 0; i < most; ++i) {
    if (server_.paused_ || !server_.log_.healthy()) return false;
    if (!has_record_ && !FindRecord()) return false;
    RunRecord();
  }
  return true;
}

bool SimFollower::FindRecord() {
  if (!reader_ || !reader_->error().ok()) return false;
  for (;;) {
    switch (reader_->Next()) {
      case RecordReader::Status::kRecord:
        has_record_ = true;
        return true;
      case RecordReader::Status::kError:
        stream_open_ = false;
        server_.environment_.Fail("a stream is malformed: " +
                                  std::string(reader_->error().message()));
        Do(link_.StreamBroken(reader_->error(), server_.environment_.now_ms()));
        return false;
      case RecordReader::Status::kNeedMore:
        if (fed_ == received_) return false;
        const std::span<char> room = server_.stream_.Room(fed_);
        const size_t bytes = std::min(room.size(), static_cast<size_t>(received_ - fed_));
        reader_->Feed(room.first(bytes));
        fed_ += static_cast<int64_t>(bytes);
    }
  }
}

void SimFollower::RunRecord() {
  const RecordReader& record = *reader_;
  const int64_t begin = server_.stream_.tail();
  for (size_t i = 0; i < record.commands(); ++i) server_.data_.Run(record.arguments(i));
  const bool asks = IsOnly(record, "replconf") && record.arguments(0).size() > 1 &&
                    EqualsIgnoreCase(record.arguments(0)[1], "getack");
  std::optional<std::string> instead = TextForLog(record);
  if (static_cast<int64_t>(instead->size()) == record.offset() - begin) instead.reset();
  server_.log_.file().Extend(record.offset(), server_.data_.db(), std::move(instead));
  has_record_ = false;
  server_.ClaimTail();
  if (!asks || link_.state() != PrimaryLink::State::kConnected) return;
  link_.set_progress(server_.history_.OffsetAt(begin), SyncedOffset(begin));
  Do(link_.AnswerGetAck());
}

// ---- time

void SimFollower::Tick() {
  if (link_.state() == PrimaryLink::State::kOff) return;
  const bool patient = server_.environment_.mistake == SimMistake::kNeverTimesOut;
  link_.set_settings({.announced_port = SimServer::PortOf(server_.machine_.number),
                      .timeout_ms = (patient ? 1000 : 1) * SimEnvironment::kTimeoutS * 1000,
                      .load = LoadMode()});
  UpdateProgress();
  Do(link_.Tick(server_.environment_.now_ms()));
}

void SimFollower::UpdateProgress() {
  const int64_t tail = server_.stream_.tail();
  int64_t applied = server_.history_.OffsetAt(tail);
  if (server_.environment_.mistake == SimMistake::kAcknowledgesReceived && received_ > tail)
    applied = server_.history_.OffsetAt(received_);
  // What is said in ACKs and in the next PSYNC.
  server_.Claim(applied);
  link_.set_progress(applied, SyncedOffset(tail));
}

std::optional<int64_t> SimFollower::SyncedOffset(int64_t position) const {
  const std::optional<int64_t> synced = server_.log_.SyncedPosition();
  if (!synced) return std::nullopt;
  return server_.history_.OffsetAt(std::min(position, *synced));
}

}  // namespace cloakroom
