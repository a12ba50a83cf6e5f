// cloakroom-check-rdb: checks an RDB file, with redis-check-rdb's words and exit codes.
#include <cstdio>
#include <string_view>

#include "protocol/version.h"
#include "replication/check/check_rdb.h"
#include "replication/check/check_rdb_help.h"
#include "replication/files/files.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

class StandardOutput final : public ByteSink {
 public:
  void Append(std::string_view bytes) override {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  }
};

int Main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "Usage: %s <rdb-file-name>\n", argv[0]);
    return 1;
  }
  const std::string_view argument = argv[1];
  if (argument == "-v" || argument == "--version") {
    std::printf("cloakroom-check-rdb %s\n", kCloakroomVersion);
    return 0;
  }
  if (argument == "-h" || argument == "--help") {
    std::fputs(kCheckRdbHelp, stdout);
    return 0;
  }
  StandardOutput out;
  return CheckRdb(SystemFiles(), argv[1], argv[1], SystemClock().NowMs(), out).ok() ? 0 : 1;
}

}  // namespace
}  // namespace cloakroom

int main(int argc, char** argv) { return cloakroom::Main(argc, argv); }
