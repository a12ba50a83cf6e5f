// cloakroom-check-aof: checks, and repairs, an append-only log as redis-check-aof 7.0 does.

#include <iostream>
#include <string>

#include "protocol/numbers.h"
#include "protocol/version.h"
#include "replication/check/check_aof.h"
#include "replication/check/check_aof_help.h"
#include "replication/check/check_rdb.h"
#include "storage/base/clock.h"

namespace {

int Usage(std::string_view program) {
  std::cout << "Usage: " << program
            << " [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
  return 1;
}

class Output final : public cloakroom::ByteSink {
 public:
  void Append(std::string_view bytes) override { std::cout << bytes; }
};

bool Confirm() {
  std::cout << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer.starts_with('y') || answer.starts_with('Y');
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cloakroom;
  CheckAofOptions options;
  const std::string_view first = argc == 2 ? argv[1] : "";
  if (first == "-h" || first == "--help") {
    std::cout << kCheckAofHelp;
    return 0;
  }
  if (first == "-v" || first == "--version") {
    std::cout << "cloakroom-check-aof " << kCloakroomVersion << "\n";
    return 0;
  }
  if (argc == 3 && argv[1] == std::string_view("--fix")) {
    options.fix = true;
  } else if (argc == 4 && argv[1] == std::string_view("--truncate-to-timestamp")) {
    std::optional<int64_t> seconds = ParseInteger(argv[2]);
    if (!seconds) {
      std::cout << "Invalid timestamp, aborting...\n";
      return 1;
    }
    options.truncate_to_s = *seconds;
  } else if (argc != 2) {
    return Usage(argv[0]);
  }
  options.path = argv[argc - 1];
  CheckAofIo io;
  io.print = [](std::string_view text) { std::cout << text; };
  io.confirm = Confirm;
  io.check_rdb = [](const std::string& path, const std::string& name) {
    Output out;
    return CheckRdb(SystemFiles(), path, name, SystemClock().NowMs(), out);
  };
  return CheckAof(SystemFiles(), options, io);
}
