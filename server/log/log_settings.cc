#include "server/log/log_settings.h"

#include <cstdint>
#include <filesystem>

#include "server/config/directive.h"

namespace cloakroom {

LogOptions LogOptionsFrom(const ConfigStore& store) {
  LogOptions options;
  options.file = store.Text("logfile");
  // As in Redis a relative path begins at the working directory, which the process enters later.
  if (!options.file.empty()) {
    options.file =
        std::filesystem::absolute(std::filesystem::path(store.Text("dir")) / options.file);
  }
  if (options.file.empty() && store.live().daemonize) options.file = "/dev/null";
  options.format = store.live().log_format;
  options.level = store.live().loglevel;
  options.to_syslog = store.live().syslog_enabled;
  options.syslog_ident = store.Text("syslog-ident");
  const config::Directive* facility = config::FindDirective("syslog-facility");
  options.syslog_facility =
      static_cast<int>(config::FromText(*facility, store.Text(facility->name)).number);
  return options;
}

void FollowLogSettings(ConfigStore& store) {
  store.Subscribe({"loglevel", "log-format"}, [&store] {
    SetLogLevel(store.live().loglevel);
    SetLogFormat(store.live().log_format);
    return absl::OkStatus();
  });
}

}  // namespace cloakroom
