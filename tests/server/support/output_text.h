#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_OUTPUT_TEXT_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_OUTPUT_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "protocol/output_buffer.h"

namespace cloakroom {

/// Takes all bytes out of a buffer, which is empty afterwards.
inline std::string TakeText(OutputBuffer& out) {
  std::string text;
  std::vector<std::string_view> spans(64);
  while (!out.empty()) {
    size_t count = out.Gather(spans);
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      text.append(spans[i]);
      bytes += spans[i].size();
    }
    out.Consume(bytes);
  }
  return text;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_OUTPUT_TEXT_H_
