#include "server/commands/support/migration_target.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

/// The time limit is for each piece of this size, so that a large value may take longer.
constexpr size_t kPiece = 64 * 1024;
constexpr size_t kLongestLine = 64 * 1024;

}  // namespace

struct MigrationTarget::Link {
  asio::io_context io;
  Tcp::socket socket{io};
  Tcp::resolver resolver{io};
  std::string received;
  boost::system::error_code result;
};

MigrationTarget::MigrationTarget(std::chrono::milliseconds limit) : limit_(limit) {}

MigrationTarget::~MigrationTarget() = default;

absl::Status MigrationTarget::Finish() {
  link_->io.restart();
  link_->io.run_for(limit_);
  if (link_->io.stopped()) {
    return link_->result ? absl::AbortedError(link_->result.message()) : absl::OkStatus();
  }
  // What was started refers to our memory until it has been cancelled.
  boost::system::error_code ignored;
  link_->resolver.cancel();
  link_->socket.close(ignored);
  link_->io.run();
  return absl::DeadlineExceededError("the time ran out");
}

absl::Status MigrationTarget::Connect(const std::string& host, const std::string& port) {
  // It would mean this machine.
  if (host.empty()) return absl::NotFoundError("a host without a name");
  try {
    link_ = std::make_unique<Link>();
  } catch (const boost::system::system_error& error) {
    return absl::ResourceExhaustedError(error.code().message());
  }
  Tcp::resolver::results_type addresses;
  link_->resolver.async_resolve(host, port, [&](boost::system::error_code error, auto found) {
    link_->result = error;
    addresses = std::move(found);
  });
  if (absl::Status resolved = Finish(); !resolved.ok()) {
    return absl::IsAborted(resolved) ? absl::NotFoundError(resolved.message()) : resolved;
  }
  asio::async_connect(
      link_->socket, addresses,
      [&](boost::system::error_code error, const Tcp::endpoint&) { link_->result = error; });
  if (absl::Status connected = Finish(); !connected.ok()) {
    const bool refused = link_->result == asio::error::connection_refused;
    return refused ? absl::UnavailableError(connected.message()) : connected;
  }
  boost::system::error_code ignored;
  link_->socket.set_option(Tcp::no_delay(true), ignored);
  return absl::OkStatus();
}

absl::Status MigrationTarget::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    asio::async_write(link_->socket, asio::buffer(piece.data(), piece.size()),
                      [&](boost::system::error_code error, size_t) { link_->result = error; });
    if (absl::Status written = Finish(); !written.ok()) return written;
    bytes.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

absl::Status MigrationTarget::Send(std::span<const std::string_view> words) {
  // Short words travel together, a long one from where it is.
  std::string bytes = absl::StrCat("*", words.size(), "\r\n");
  for (const std::string_view word : words) {
    absl::StrAppend(&bytes, "$", word.size(), "\r\n");
    if (word.size() > kPiece) {
      if (absl::Status written = Write(bytes); !written.ok()) return written;
      if (absl::Status written = Write(word); !written.ok()) return written;
      bytes.clear();
    } else {
      bytes.append(word);
    }
    bytes.append("\r\n");
  }
  return Write(bytes);
}

absl::StatusOr<std::string> MigrationTarget::Reply() {
  asio::async_read_until(link_->socket, asio::dynamic_buffer(link_->received, kLongestLine), "\r\n",
                         [&](boost::system::error_code error, size_t) { link_->result = error; });
  if (absl::Status read = Finish(); !read.ok()) return read;
  const size_t end = link_->received.find("\r\n");
  std::string line = link_->received.substr(0, end);
  link_->received.erase(0, end + 2);
  return line;
}

}  // namespace cloakroom
