#include "server/persistence/load_words.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

/// What to do about damage in a file of the log that others follow: cutting it would be wrong.
constexpr char kNotTheLast[] =
    ". Fatal error: it is not the last file of the log, and those behind it build on what is "
    "missing. Restore the folder from a backup; or take the files behind it out of the manifest, "
    "which loses what they hold.";

std::string_view AdviceOn(RdbCause cause) {
  switch (cause) {
    case RdbCause::kUnsupported:
      return "The file looks sound and stays as it is, but this version of Cloakroom does not hold "
             "all that is in it: load it with a server that does. --repair yes would leave out "
             "what does not fit, and the next save would lose it.";
    case RdbCause::kSettings:
      return "The file looks sound: correct the setting.";
    case RdbCause::kDamage:
      break;
  }
  return "Restore it from a backup; or look at it with cloakroom-check-rdb, and start "
         "with --repair yes to load what can be read.";
}

std::string_view AdviceOn(const absl::Status& file_error) {
  switch (ErrnoOf(file_error)) {
    case EACCES:
    case EPERM:
      return "Mend the owner or mode of the file, or of a folder above it.";
    case EISDIR:
      return "A folder is in its place: move it away.";
    case EIO:
      return "Nothing was changed. Start again when the disk can be read, or restore a backup.";
    default:
      return "Nothing was changed. See where the path leads.";
  }
}

}  // namespace

absl::Status DamagedRdb(const std::string& path, const RdbError& error) {
  std::string text = error.Text();
  if (text.ends_with('.')) text.pop_back();  // some of Redis' words end with one
  return absl::DataLossError(
      Concat({"The RDB file ", path, " can't be loaded: ", text, ". ", AdviceOn(error.cause)}));
}

absl::Status UnreadableSnapshot(const absl::Status& error) {
  return absl::UnavailableError(Concat({"Fatal error loading the DB: ", ErrnoText(error), " (",
                                        FileCallOf(error), "). Exiting. ", AdviceOn(error)}));
}

absl::Status UnreadableLog(const std::string& path, const absl::Status& error) {
  return absl::UnavailableError(Concat({"Unrecoverable error reading the append only file ", path,
                                        ": ", ErrnoText(error), ". ", AdviceOn(error)}));
}

absl::Status UnreadableLogFolder(const absl::Status& error) {
  return absl::UnavailableError(
      Concat({"The append-only log can't be read: ", MessageOf(error), ". ",
              ErrnoOf(error) != 0 ? AdviceOn(error)
                                  : "Mend the manifest, or restore the folder from a backup."}));
}

absl::Status DamagedLog(const std::string& path, bool last, const AofReader& reader) {
  return absl::DataLossError(absl::StrCat(
      "Bad file format reading the append only file ", path, " at offset ", reader.offset(), ": ",
      reader.error().message(),
      last ? ". Make a backup of the log, then use cloakroom-check-aof --fix <manifest>."
           : kNotTheLast));
}

absl::Status TornLog(const std::string& path, bool last, int64_t offset) {
  if (!last) {
    return absl::DataLossError(absl::StrCat("Unexpected end of file reading the append only file ",
                                            path, " behind ", offset, kNotTheLast));
  }
  return absl::DataLossError(absl::StrCat(
      "Unexpected end of file reading the append only file ", path,
      ". You can: 1) Make a backup of your AOF file, then use cloakroom-check-aof --fix "
      "<manifest>. 2) Set 'aof-load-truncated' to yes and restart the server."));
}

absl::Status RefusedCommand(const std::string& path, int64_t offset, std::string_view reason) {
  return absl::DataLossError(Concat({"The append only file ", path, " can't be loaded: offset ",
                                     std::to_string(offset), ": ", reason}));
}

}  // namespace cloakroom
