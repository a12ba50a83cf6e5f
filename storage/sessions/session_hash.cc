#include "storage/sessions/session_hash.h"

#include <charconv>
#include <optional>

#include "storage/base/integer_text.h"
#include "storage/sessions/session_fences.h"

namespace cloakroom {

int64_t SessionHash::commit_fence() const { return SessionPid::Parse(pid).fence; }

SessionPid SessionPid::Parse(std::string_view text) {
  const SessionPid plain = {text, 0};
  const size_t last = text.rfind('|');
  if (last == std::string_view::npos) return plain;
  const std::string_view owner = text.substr(0, last);
  if (owner.find('|') == std::string_view::npos) return plain;
  const std::optional<int64_t> fence = ParseCanonicalInt(text.substr(last + 1));
  if (!fence || *fence < 0 || *fence > kMaxFence) return plain;
  return {owner, *fence};
}

std::string FormatSessionPid(std::string_view owner, int64_t fence) {
  std::string text(owner);
  if (owner.find('|') == std::string_view::npos) text += "|0";
  text += '|';
  text += IntegerText(fence).view();
  return text;
}

SessionVersion::SessionVersion(const SessionHash& hash)
    : SessionVersion(hash.writes, hash.commit_fence()) {
  if (hash.exists && hash.writes == 0 && hash.commit_fence() == 0) text_[size_++] = '+';
}

SessionVersion::SessionVersion(int64_t writes, int64_t fence) {
  char* const end = text_ + sizeof(text_);
  char* at = std::to_chars(text_, end, writes).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, fence).ptr;
  size_ = static_cast<uint8_t>(at - text_);
}

}  // namespace cloakroom
