#include "replication/rdb/rdb_writer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "replication/files/crc64.h"
#include "replication/rdb/rdb_format.h"

namespace cloakroom {

void RdbWriter::Summer::Append(std::string_view bytes) {
  if (active_) crc_ = Crc64(crc_, bytes);
  bytes_ += bytes.size();
  sink_.Append(bytes);
}

RdbWriter::RdbWriter(ByteSink& sink, const RdbOptions& options)
    : options_(options), summer_(sink, options.checksum), encoder_(summer_, options) {}

void RdbWriter::Begin() { encoder_.Raw(absl::StrFormat("REDIS%04d", options_.version)); }

void RdbWriter::Aux(std::string_view name, std::string_view value) {
  encoder_.Byte(rdb::kAux);
  encoder_.String(name);
  encoder_.String(value);
}

void RdbWriter::Function(std::string_view source) {
  if (options_.version < rdb::kFirstFunctions) {
    return encoder_.Fail(absl::FailedPreconditionError(absl::StrCat(
        "RDB version ", options_.version, " cannot hold functions: rdb-version must be ",
        rdb::kFirstFunctions, " or more")));
  }
  encoder_.Byte(rdb::kFunction);
  encoder_.String(source);
}

void RdbWriter::SelectDb(int db) {
  if (db == db_) return;
  db_ = db;
  encoder_.Byte(rdb::kSelectDb);
  encoder_.Length(static_cast<uint64_t>(db));
}

void RdbWriter::ResizeDb(int db, uint64_t keys, uint64_t expires) {
  SelectDb(db);
  encoder_.Byte(rdb::kResizeDb);
  encoder_.Length(keys);
  encoder_.Length(expires);
}

void RdbWriter::Entry(const EntryView& entry) {
  SelectDb(entry.db);
  encoder_.Entry(entry);
}

void RdbWriter::Encoded(int db, std::string_view bytes) {
  SelectDb(db);
  encoder_.Raw(bytes);
}

void RdbWriter::End() {
  encoder_.Byte(rdb::kEof);
  encoder_.Flush();
  encoder_.Number(options_.checksum ? summer_.crc() : uint64_t{0});
  encoder_.Flush();
}

}  // namespace cloakroom
