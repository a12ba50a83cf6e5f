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

}  // namespace

std::string& InvalidationMessages::TextTo(const Client& client) {
  const auto [place, is_new] = texts_.try_emplace(client.id);
  if (is_new && !client.killed) place->second.first = client.link.lock();
  return place->second.second;
}

void InvalidationMessages::Tell(Client& client,
                                std::optional<std::span<const std::string_view>> keys) {
  const uint64_t redirect = client.tracking.redirect;
  std::shared_ptr<Client> other;
  if (redirect != 0) {
    other = clients_.Find(redirect);
    if (other == nullptr) {
      client.tracking.redirect_broken = true;
      if (client.resp > 2) {
        absl::StrAppend(&TextTo(client), ">2\r\n$21\r\ntracking-redir-broken\r\n:", redirect,
                        "\r\n");
      }
      return;
    }
  }
  const Client& target = other == nullptr ? client : *other;
  if (target.resp > 2) {
    std::string& text = TextTo(target);
    text += ">2\r\n$10\r\ninvalidate\r\n";
    AppendKeys(text, keys, "_\r\n");
  } else if (other != nullptr && target.listens()) {
    std::string& text = TextTo(target);
    text += "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";
    AppendKeys(text, keys, "$-1\r\n");
  }
}

void InvalidationMessages::Send() {
  for (auto& [id, receiver] : texts_) {
    auto& [link, text] = receiver;
    if (link == nullptr) continue;
    auto owner = std::make_shared<const std::string>(std::move(text));
    const std::string_view bytes = *owner;
    link->Push({.bytes = {std::move(owner), bytes}, .subscription = nullptr, .offset = nullptr});
  }
  texts_.clear();
}

}  // namespace cloakroom
