#include "server/tracking/invalidation.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

void AppendBulk(std::string& text, std::string_view bytes) {
  absl::StrAppend(&text, "$", bytes.size(), "\r\n");
  text.append(bytes).append("\r\n");
}

void AppendKeys(std::string& text, std::optional<std::span<const std::string_view>> keys,
                std::string_view null) {
  if (!keys) {
    text.append(null);
    return;
  }
  absl::StrAppend(&text, "*", keys->size(), "\r\n");
  for (const std::string_view key : *keys) AppendBulk(text, key);
}

void Push(const Client& client, std::string text) {
  const std::shared_ptr<ClientLink> link = client.link.lock();
  if (link == nullptr || client.killed) return;
  auto owner = std::make_shared<const std::string>(std::move(text));
  const std::string_view bytes = *owner;
  link->Push({.bytes = {std::move(owner), bytes}, .subscription = nullptr, .offset = nullptr});
}

}  // namespace

void SendInvalidation(const ClientRegistry& clients, Client& client,
                      std::optional<std::span<const std::string_view>> keys) {
  const uint64_t redirect = client.tracking.redirect;
  std::shared_ptr<Client> other;
  if (redirect != 0) {
    other = clients.Find(redirect);
    if (other == nullptr) {
      client.tracking.redirect_broken = true;
      if (client.resp > 2) {
        Push(client, absl::StrCat(">2\r\n$21\r\ntracking-redir-broken\r\n:", redirect, "\r\n"));
      }
      return;
    }
  }
  const Client& target = other == nullptr ? client : *other;
  std::string text;
  if (target.resp > 2) {
    text = ">2\r\n$10\r\ninvalidate\r\n";
    AppendKeys(text, keys, "_\r\n");
  } else if (other != nullptr && target.listens()) {
    text = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
    AppendKeys(text, keys, "$-1\r\n");
  } else {
    return;
  }
  Push(target, std::move(text));
}

}  // namespace cloakroom
