#include "clients/drill/watchers.h"

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/topology.h"
#include "clients/request.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

constexpr auto kSampleEvery = std::chrono::milliseconds(100);
constexpr int64_t kPatienceMs = 500;

Sample SampleOf(size_t server, const Address& address, const InfoText& info) {
  const Server said = ReadServer(address, info);
  return {.server = server,
          .role = said.is_primary ? Sample::Role::kPrimary : Sample::Role::kReplica,
          .offset = said.offset,
          .link_up = said.link_up};
}

/// A connection that is opened again when it is lost.
class Again {
 public:
  Again(Address address, Credentials login)
      : address_(std::move(address)), login_(std::move(login)) {}

  /// nullptr: there is none now.
  RespClient* Get() {
    if (client_.connected()) return &client_;
    absl::StatusOr<RespClient> client = Open(address_, login_, kPatienceMs);
    if (!client.ok()) return nullptr;
    client_ = *std::move(client);
    is_new_ = true;
    return &client_;
  }
  /// True once after each connect.
  bool TakeNew() { return std::exchange(is_new_, false); }

 private:
  const Address address_;
  const Credentials login_;
  RespClient client_;
  bool is_new_ = false;
};

/// Reads messages up to the answer to a PING, which comes after all that were there before.
template <typename TakeMessage>
absl::Status ReadMessages(RespClient& client, TakeMessage take) {
  if (absl::Status sent = client.SendRaw(Request({"PING"})); !sent.ok()) return sent;
  for (;;) {
    const absl::StatusOr<ReplyValue> message = client.Read();
    if (!message.ok()) return message.status();
    const std::vector<ReplyValue>& words = message->items;
    if (words.empty() || words[0].text == "pong") return absl::OkStatus();
    if (words[0].text == "pmessage" && words.size() == 4) take(words[2].text, words[3].text);
  }
}

/// Sentinels also report what is of no interest here, such as each other's discovery.
bool IsAbout(const std::string& text, const std::string& master) {
  return Concat({" ", text, " "}).find(Concat({" ", master, " "})) != std::string::npos;
}

}  // namespace

Watchers::Watchers(const Where& where, const std::vector<Address>& servers, Recorder& recorder)
    : where_(where), recorder_(recorder) {
  for (size_t server = 0; server < servers.size(); ++server) {
    threads_.emplace_back(
        [this, server, address = servers[server]] { WatchServer(server, address); });
  }
  for (const Address& address : where_.sentinels) {
    threads_.emplace_back([this, address] { WatchSentinel(address); });
  }
}

Watchers::~Watchers() {
  stop_.Raise();
  for (std::thread& thread : threads_) thread.join();
}

void Watchers::WatchServer(size_t server, const Address& address) {
  Again connection(address, where_.login);
  do {
    Sample sample = {.server = server};
    if (RespClient* client = connection.Get()) {
      const absl::StatusOr<InfoText> info = AskInfo(*client, "replication");
      if (info.ok()) sample = SampleOf(server, address, *info);
    }
    recorder_.AddSample(sample);
  } while (!stop_.WaitFor(kSampleEvery));
}

void Watchers::WatchSentinel(const Address& address) {
  Again connection(address, where_.sentinel_login);
  const std::string source = Concat({"sentinel ", ToText(address)});
  do {
    RespClient* client = connection.Get();
    if (client == nullptr) continue;
    if (connection.TakeNew() && !client->SendRaw(Request({"PSUBSCRIBE", "*"})).ok()) continue;
    // A connection that is lost is opened again.
    (void)ReadMessages(*client, [&](const std::string& channel, const std::string& text) {
      if (IsAbout(text, where_.master)) {
        recorder_.AddEvent(source, Concat({channel, " ", text}));
      }
    });
  } while (!stop_.WaitFor(kSampleEvery));
}

}  // namespace cloakroom::drill
