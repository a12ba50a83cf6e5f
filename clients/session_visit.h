#ifndef CLOAKROOM_CLIENTS_SESSION_VISIT_H_
#define CLOAKROOM_CLIENTS_SESSION_VISIT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// A round trip of a page: one write of its client and the number of replies that it then waits
/// for.
struct VisitStep {
  std::string bytes;
  size_t replies = 0;
};

/// A session of a shop's visitor as Magento's PHP library reads it under its lock and writes it
/// back, when nobody else wants the lock: 11 commands, 7 round trips. A plain value.
struct VisitedSession {
  std::string key;
  int64_t database = 2;
  std::string pid = "web1|5042";  ///< the lock's holder
  std::string request = "GET shop.example/checkout/cart/";
  int64_t lifetime_s = 21'600;
};

/// The replies of the read, step by step: OK; the lock's counter, which is 1 for whoever has it;
/// the fields data and writes; OK and 1.
std::vector<VisitStep> SessionRead(const VisitedSession& session);
/// Stores `data` and frees the lock: OK; the holder; OK, OK, the counter `writes`, and 1.
std::vector<VisitStep> SessionWrite(const VisitedSession& session, std::string_view data);

}  // namespace cloakroom

#endif  // CLOAKROOM_CLIENTS_SESSION_VISIT_H_
