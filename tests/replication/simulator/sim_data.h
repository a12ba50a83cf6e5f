#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DATA_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DATA_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "replication/files/bytes.h"
#include "replication/link/replication_history.h"

namespace cloakroom {

/// What a simulated server holds: strings by database and key. Besides, it sums up everything that
/// was done to it, in its order, so two servers with the same digest have executed the same
/// commands, and a digest says which prefix of a history the data is.
///
/// Not thread safe.
class SimData {
 public:
  static constexpr int kDatabases = 4;

  /// What the head of an RDB says about its place in a history.
  struct Place {
    HistoryPoint point;
    int stream_db = 0;
  };

  /// Executes a command of a stream or a log in the selected database; SELECT selects. Commands
  /// that change nothing do nothing.
  void Run(std::span<const std::string_view> words);
  void Set(int db, std::string_view key, std::string_view value);
  int db() const { return db_; }
  void set_db(int db) { db_ = db; }

  bool empty() const;
  /// Equal for equal data that came about by the same changes.
  uint64_t digest() const;
  /// Whether the write of this number is part of the data.
  bool Has(int64_t write) const;
  /// The key that is the write's own, and its database, which several in a row have in common.
  static std::string KeyOf(int64_t write);
  static int DbOf(int64_t write) { return static_cast<int>(write / 3 % kDatabases); }

  /// A whole RDB file.
  std::string Rdb(const std::optional<Place>& place) const;

  struct Loaded;
  /// nullopt: it is no whole RDB.
  static std::optional<Loaded> Load(ByteSource& source);

 private:
  void Add(int db, std::string_view key, std::string_view value);

  std::array<std::map<std::string, std::string, std::less<>>, kDatabases> values_;
  int db_ = 0;
  uint64_t sum_ = 0;      // of the changes, in their order
  uint64_t content_ = 0;  // of the values, in any order
};

struct SimData::Loaded {
  SimData data;
  std::map<std::string, std::string, std::less<>> fields;  ///< of the RDB's head
  std::string rest;                                        ///< what followed the RDB
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_DATA_H_
