#ifndef CLOAKROOM_SERVER_NET_READY_CONTEXT_H_
#define CLOAKROOM_SERVER_NET_READY_CONTEXT_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cloakroom {

/// An io_context that has its descriptors from the start. A plain one opens them at its first use,
/// and throws if the process has none left by then.
///
/// Thread rule: io_context's.
class ReadyContext {
 public:
  ReadyContext() = default;
  ReadyContext(const ReadyContext&) = delete;
  ReadyContext& operator=(const ReadyContext&) = delete;

  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context io_{1};
  boost::asio::steady_timer opens_descriptors_{io_};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_READY_CONTEXT_H_
