#include "tests/replication/simulator/sim_data.h"

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/rdb/rdb_decoder.h"
#include "replication/rdb/rdb_reader.h"
#include "replication/rdb/rdb_writer.h"

namespace cloakroom {
namespace {

constexpr std::string_view kSumField = "simulated-sum";

uint64_t Mixed(uint64_t number) {
  number += 0x9E3779B97F4A7C15ULL;
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31);
}

uint64_t HashOf(int db, std::string_view key, std::string_view value) {
  uint64_t hash = Mixed(static_cast<uint64_t>(db) << 32 | key.size());
  for (const char c : key) hash = Mixed(hash ^ static_cast<unsigned char>(c));
  for (const char c : value) hash = Mixed(hash ^ static_cast<unsigned char>(c));
  return hash;
}

}  // namespace

void SimData::Run(std::span<const std::string_view> words) {
  if (EqualsIgnoreCase(words[0], "select") && words.size() == 2) {
    db_ = static_cast<int>(ParseInteger(words[1]).value_or(0));
  } else if (EqualsIgnoreCase(words[0], "set") && words.size() >= 3) {
    Set(db_, words[1], words[2]);
  }
}

void SimData::Set(int db, std::string_view key, std::string_view value) {
  sum_ = Mixed(sum_ ^ HashOf(db, key, value));
  Add(db, key, value);
}

void SimData::Add(int db, std::string_view key, std::string_view value) {
  auto& values = values_.at(static_cast<size_t>(db));
  const auto found = values.find(key);
  if (found != values.end()) content_ ^= HashOf(db, key, found->second);
  content_ ^= HashOf(db, key, value);
  values.insert_or_assign(std::string(key), std::string(value));
}

bool SimData::empty() const {
  return std::all_of(values_.begin(), values_.end(),
                     [](const auto& values) { return values.empty(); });
}

uint64_t SimData::digest() const { return Mixed(sum_ ^ Mixed(content_)); }

std::string SimData::KeyOf(int64_t write) { return "w" + std::to_string(write); }

bool SimData::Has(int64_t write) const {
  return values_.at(static_cast<size_t>(DbOf(write))).contains(KeyOf(write));
}

std::string SimData::Rdb(const std::optional<Place>& place) const {
  StringSink sink;
  RdbWriter writer(sink, {});
  writer.Begin();
  if (place) {
    writer.Aux("repl-stream-db", std::to_string(place->stream_db));
    writer.Aux("repl-id", place->point.id.text());
    writer.Aux("repl-offset", std::to_string(place->point.offset));
  }
  writer.Aux(kSumField, std::to_string(static_cast<int64_t>(sum_)));
  for (int db = 0; db < kDatabases; ++db) {
    for (const auto& [key, value] : values_[static_cast<size_t>(db)]) {
      writer.Entry({.db = db, .key = key, .value = {.payload = value}});
    }
  }
  writer.End();
  return sink.Take();
}

std::optional<SimData::Loaded> SimData::Load(ByteSource& source) {
  RdbReader reader(source);
  RdbDecoder decoder{EncodingLimits()};
  Loaded loaded;
  for (;;) {
    switch (reader.Next()) {
      case RdbReader::Item::kAux:
        loaded.fields[reader.name()] = reader.value();
        break;
      case RdbReader::Item::kRecord: {
        const RdbRecord& record = reader.record();
        const auto key = decoder.Key(record);
        if (!key.ok() || !decoder.Decode(record.type, record.dialect, record.value).ok()) return {};
        loaded.data.Add(record.db, *key, decoder.value().bytes());
        break;
      }
      case RdbReader::Item::kEnd:
        loaded.data.sum_ =
            static_cast<uint64_t>(ParseInteger(loaded.fields[std::string(kSumField)]).value_or(0));
        loaded.rest = reader.rest();
        return loaded;
      case RdbReader::Item::kError:
        return {};
      default:
        break;
    }
  }
}

}  // namespace cloakroom
