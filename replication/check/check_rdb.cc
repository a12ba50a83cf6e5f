#include "replication/check/check_rdb.h"

#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "replication/files/file_source.h"
#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_decoder.h"
#include "replication/rdb/rdb_reader.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

/// Redis' tool is off by one for modules, and does not know later types.
std::string_view TypeWord(int type) {
  if (type == rdb::kModuleOld) return "module-value";
  if (type == rdb::kModule) return "";
  return type >= rdb::kStream2 ? "unknown" : rdb::TypeName(static_cast<uint8_t>(type));
}

class Checker {
 public:
  Checker(ReadableFile& file, int64_t now_ms, ByteSink& out)
      : source_(file),
        reader_(source_, static_cast<uint64_t>(file.size())),
        now_ms_(now_ms),
        out_(out) {}

  absl::StatusOr<int64_t> Run() {
    while (true) {
      switch (reader_.Next()) {
        case RdbReader::Item::kAux:
          Tell(absl::StrCat("AUX FIELD ", reader_.name(), " = '", reader_.value(), "'"));
          break;
        case RdbReader::Item::kSelectDb:
          Tell(absl::StrCat("Selecting DB ID ", reader_.db()));
          break;
        case RdbReader::Item::kModuleAux:
          TellAt(reader_.module_offset(), absl::StrCat("MODULE AUX for: ", reader_.name()));
          break;
        case RdbReader::Item::kFunction:
          break;
        case RdbReader::Item::kRecord:
          if (auto error = CheckRecord()) return Fail(*error);
          break;
        case RdbReader::Item::kError:
          return Fail(reader_.error());
        case RdbReader::Item::kEnd:
          return Succeed();
      }
    }
  }

 private:
  void Line(const std::string& text) { out_.Append(absl::StrCat(text, "\n")); }
  void Tell(const std::string& text) { TellAt(reader_.offset(), text); }
  void TellAt(uint64_t offset, const std::string& text) {
    Line(absl::StrCat("[offset ", offset, "] ", text));
  }

  /// Decodes a value of a type that we have.
  absl::Status CheckValue(const RdbRecord& record) {
    const RdbCodec* const codec = FindRdbLayout(record.type, record.dialect).codec;
    if (codec == nullptr) return absl::OkStatus();
    absl::Status status =
        decoder_.Decode(record.type, record.dialect, record.value, record.item_expiries);
    if (!status.ok() || decoder_.value().exists()) return status;
    // The server skips such a key; for Redis' tool it is an error.
    return absl::DataLossError(absl::StrCat("empty ", Absl(OpsOf(codec->type).name)));
  }

  std::optional<RdbError> CheckRecord() {
    const RdbRecord& record = reader_.record();
    const absl::StatusOr<std::string_view> key = decoder_.Key(record);
    const absl::Status status = key.ok() ? CheckValue(record) : key.status();
    if (!status.ok()) {
      RdbError error;
      error.offset = record.end_offset;
      error.message = std::string(status.message());
      error.stage = key.ok() ? RdbStage::kValue : RdbStage::kKey;
      error.type = record.type;
      if (key.ok()) error.key = std::string(*key);
      return error;
    }
    keys_ += 1;
    expires_ += record.expire_at_ms != kNoExpiry;
    expired_ += record.expire_at_ms != kNoExpiry && record.expire_at_ms < now_ms_;
    return std::nullopt;
  }

  absl::StatusOr<int64_t> Succeed() {
    if (reader_.unchecked() && HasChecksum()) {
      Tell("RDB file was saved with checksum disabled: no check performed.");
    } else if (HasChecksum()) {
      Tell("Checksum OK");
    }
    Tell("\\o/ RDB looks OK! \\o/");
    Totals();
    return static_cast<int64_t>(reader_.offset());
  }

  absl::Status Fail(const RdbError& error) {
    const bool first_type = error.type < 0 && keys_ == 0;
    // A key counts once it has been read, before its value.
    keys_ += error.stage == RdbStage::kValue;
    Line("--- RDB ERROR DETECTED ---");
    Line(absl::StrCat("[offset ", error.offset, "] ", error.message));
    Line(absl::StrCat("[additional info] While doing: ", Absl(RdbStageName(error.stage))));
    if (error.key) Line(absl::StrCat("[additional info] Reading key '", *error.key, "'"));
    // Before the first type, Redis also says type 0.
    const int type = first_type ? 0 : error.type;
    if (type >= 0) {
      Line(absl::StrCat("[additional info] Reading type ", type, " (", Absl(TypeWord(type)), ")"));
    }
    Totals();
    return absl::DataLossError(error.message);
  }

  bool HasChecksum() const { return reader_.version() >= rdb::kFirstChecksum; }

  void Totals() {
    Line(absl::StrCat("[info] ", keys_, " keys read"));
    Line(absl::StrCat("[info] ", expires_, " expires"));
    Line(absl::StrCat("[info] ", expired_, " already expired"));
  }

  FileSource source_;
  RdbReader reader_;
  const int64_t now_ms_;
  ByteSink& out_;
  RdbDecoder decoder_{EncodingLimits{}};
  uint64_t keys_ = 0;
  uint64_t expires_ = 0;
  uint64_t expired_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> CheckRdb(Files& files, const std::string& path, const std::string& name,
                                 int64_t now_ms, ByteSink& out) {
  out.Append(absl::StrCat("[offset 0] Checking RDB file ", name, "\n"));
  const auto file = files.OpenForRead(path);
  if (!file.ok()) return file.status();
  return Checker(**file, now_ms, out).Run();
}

}  // namespace cloakroom
