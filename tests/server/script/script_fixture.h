#ifndef CLOAKROOM_TESTS_SERVER_SCRIPT_SCRIPT_FIXTURE_H_
#define CLOAKROOM_TESTS_SERVER_SCRIPT_SCRIPT_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/script/script_engine.h"

namespace cloakroom {

// A Lua engine with a host that the test controls: a few commands over a map, and a log.

class FakeScriptHost : public ScriptHost {
 public:
  /// get, set, lpush (always WRONGTYPE), raw (replies its argument as it is).
  void Call(std::span<const std::string_view> args, int resp, std::string* reply) override {
    calls.emplace_back(args.begin(), args.end());
    last_resp = resp;
    const std::string_view name = args[0];
    if (name == "set" && args.size() == 3) {
      data[std::string(args[1])] = args[2];
      reply->append("+OK\r\n");
    } else if (name == "get" && args.size() == 2) {
      const auto found = data.find(std::string(args[1]));
      if (found == data.end()) {
        reply->append(resp == 3 ? "_\r\n" : "$-1\r\n");
      } else {
        reply->append("$" + std::to_string(found->second.size()) + "\r\n" + found->second + "\r\n");
      }
    } else if (name == "lpush") {
      reply->append("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    } else if (name == "raw") {
      reply->append(args[1]);
    } else {
      reply->append("-ERR Unknown Redis command called from script\r\n");
    }
  }
  void PassesErrorOn() override { passes_error_on = true; }
  std::optional<bool> CommandAllowed(std::span<const std::string_view> args) override {
    if (args[0] == "nosuch") return std::nullopt;
    return args[0] != "flushall";
  }
  void Log(int level, std::string_view message) override {
    log.push_back(std::to_string(level) + " " + std::string(message));
  }
  bool ShouldStop() override {
    ++polls;
    return stop_at_poll != 0 && polls >= stop_at_poll;
  }

  std::map<std::string, std::string> data;
  std::vector<std::vector<std::string>> calls;
  std::vector<std::string> log;
  int last_resp = 0;
  bool passes_error_on = false;
  int polls = 0;
  int stop_at_poll = 0;  ///< 0: never
};

class ScriptTest : public testing::Test {
 protected:
  std::string Eval(std::string_view text, std::vector<std::string_view> keys = {},
                   std::vector<std::string_view> args = {}, int resp = 2) {
    const absl::StatusOr<ScriptPtr> loaded = engine_.Load(text, false);
    if (!loaded.ok()) return "-" + std::string(loaded.status().message()) + "\r\n";
    std::string reply;
    engine_.Run(*loaded, keys, args, &host_, resp, &reply);
    return reply;
  }
  std::string Eval3(std::string_view text) { return Eval(text, {}, {}, 3); }

  /// The error reply without the part that names the script, which must be there.
  std::string ErrorOf(std::string_view text) {
    const std::string reply = Eval(text);
    const std::size_t where = reply.find(" script: ");
    EXPECT_NE(where, std::string::npos) << reply;
    EXPECT_TRUE(reply.ends_with(".\r\n")) << reply;
    return reply.substr(0, where);
  }

  ScriptCache cache_;
  ScriptEngine engine_{&cache_};
  FakeScriptHost host_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SCRIPT_SCRIPT_FIXTURE_H_
