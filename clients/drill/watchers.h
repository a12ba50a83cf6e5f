#ifndef CLOAKROOM_CLIENTS_DRILL_WATCHERS_H_
#define CLOAKROOM_CLIENTS_DRILL_WATCHERS_H_

#include <thread>
#include <vector>

#include "clients/drill/address.h"
#include "clients/drill/options.h"
#include "clients/drill/recorder.h"
#include "clients/drill/signal.h"

namespace cloakroom::drill {

/// Looks on while a run happens: every server's role, offset and link ten times a second, and the
/// messages of every Sentinel about this primary. One thread each, so that a server that does not
/// answer delays nobody. Begins when it is made, ends when it is destroyed.
class Watchers {
 public:
  Watchers(const Where& where, const std::vector<Address>& servers, Recorder& recorder);
  ~Watchers();
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;

 private:
  void WatchServer(size_t server, const Address& address);
  void WatchSentinel(const Address& address);

  const Where where_;
  Recorder& recorder_;
  Signal stop_;
  std::vector<std::thread> threads_;
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_WATCHERS_H_
