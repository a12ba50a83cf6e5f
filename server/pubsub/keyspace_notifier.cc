#include "server/pubsub/keyspace_notifier.h"

#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "server/config/config_store.h"
#include "server/pubsub/pubsub.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

constexpr std::string_view kSetting = "notify-keyspace-events";
/// What the letter A stands for: all classes but 'm' and 'n'.
constexpr std::string_view kAllClasses = "g$lshzxetd";

struct EventsOfClass {
  char letter;
  std::initializer_list<std::string_view> events;
};

// As in Redis' documentation of keyspace notifications.
const EventsOfClass kClasses[] = {
    {'g',
     {"del", "rename_from", "rename_to", "move_from", "move_to", "copy_to", "restore", "expire",
      "persist"}},
    {'$', {"set", "setrange", "setbit", "incrby", "incrbyfloat", "append", "pfadd"}},
    {'l', {"lpush", "rpush", "lpop", "rpop", "linsert", "lset", "lrem", "ltrim", "sortstore"}},
    {'s',
     {"sadd", "srem", "spop", "sinterstore", "sunionstore", "sdiffstore", "sexpire", "sexpired",
      "spersist"}},
    {'h', {"hset", "hdel", "hincrby", "hincrbyfloat", "hexpire", "hexpired", "hpersist"}},
    {'z',
     {"zadd", "zincr", "zrem", "zremrangebyscore", "zremrangebyrank", "zremrangebylex",
      "zinterstore", "zunionstore", "zdiffstore", "zrangestore", "zpopmin", "zpopmax",
      "geosearchstore", "georadiusstore"}},
    {'t',
     {"xadd", "xtrim", "xdel", "xsetid", "xgroup-create", "xgroup-setid", "xgroup-destroy",
      "xgroup-createconsumer", "xgroup-delconsumer"}},
    {'x', {"expired"}},
    {'e', {"evicted"}},
    {'m', {"keymiss"}},
    {'n', {"new"}},
};

constexpr uint32_t BitOf(char letter) {
  constexpr std::string_view kLetters = "KEg$lshzxetdmn";
  const size_t place = kLetters.find(letter);
  return place == kLetters.npos ? 0 : 1u << place;
}

uint32_t BitsOf(std::string_view letters) {
  uint32_t bits = 0;
  for (const char letter : letters) bits |= letter == 'A' ? BitsOf(kAllClasses) : BitOf(letter);
  return bits;
}

uint8_t WantsOf(uint32_t classes) {
  constexpr uint32_t kChannels = BitOf('K') | BitOf('E');
  if ((classes & kChannels) == 0 || (classes & ~kChannels) == 0) return ChangeConsumer::kNothing;
  uint8_t wants = ChangeConsumer::kEvents;
  if ((classes & BitOf('m')) != 0) wants |= ChangeConsumer::kMisses;
  if ((classes & BitOf('n')) != 0) wants |= ChangeConsumer::kNewKeys;
  return wants;
}

}  // namespace

char ClassOfEvent(KeyEvent event) {
  static const auto* const kLetters = [] {
    auto* const letters = new absl::flat_hash_map<std::string_view, char>;
    for (const EventsOfClass& one : kClasses) {
      for (const std::string_view name : one.events) letters->emplace(name, one.letter);
    }
    return letters;
  }();
  const auto found = kLetters->find(event);
  return found == kLetters->end() ? '\0' : found->second;
}

KeyspaceNotifier::KeyspaceNotifier(Server& server) : server_(server) {
  server.keyspace().feed().Add(*this);
  Follow().IgnoreError();
  server.config().Subscribe({std::string(kSetting)}, [this] { return Follow(); });
}

KeyspaceNotifier::~KeyspaceNotifier() { server_.keyspace().feed().Remove(*this); }

absl::Status KeyspaceNotifier::Follow() {
  const Classes classes = BitsOf(server_.config().Text(kSetting));
  classes_ = classes;
  server_.keyspace().feed().SetWants(*this, WantsOf(classes));
  return absl::OkStatus();
}

void KeyspaceNotifier::Take(const ChangeBatch& batch, const ChangeOrigin& origin) {
  const Classes classes = classes_.load(std::memory_order_relaxed);
  batch.ForEachEvent([&](const ChangeBatch::Event& event) {
    if (event.is_read() || (BitOf(ClassOfEvent(event.name)) & classes) == 0) return;
    relay_.Add({event.db, event.name, std::string(event.key), origin.durable_from});
  });
}

void KeyspaceNotifier::AfterHold() {
  relay_.HandOn([this](std::vector<Event>& events) {
    const Classes classes = classes_.load(std::memory_order_relaxed);
    for (const Event& event : events) Publish(event, classes);
  });
}

void KeyspaceNotifier::Publish(const Event& event, Classes classes) {
  std::shared_ptr<PushOffset> offset;
  if (event.durable_from != 0) {
    offset = std::make_shared<PushOffset>();
    offset->durable_from = event.durable_from;
  }
  const auto push = [&](const std::shared_ptr<ClientLink>& link, Pushed pushed) {
    pushed.offset = offset;
    link->Push(std::move(pushed));
  };
  const std::string db = std::to_string(event.db);
  if ((classes & BitOf('K')) != 0) {
    server_.pubsub().Publish(Concat({"__keyspace@", db, "__:", event.key}), event.name, push);
  }
  if ((classes & BitOf('E')) != 0) {
    server_.pubsub().Publish(Concat({"__keyevent@", db, "__:", event.name}), event.key, push);
  }
}

}  // namespace cloakroom
