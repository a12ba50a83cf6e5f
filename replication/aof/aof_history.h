#ifndef CLOAKROOM_REPLICATION_AOF_AOF_HISTORY_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

/// Which history the stream of changes belongs to, as the log states it in annotations. An
/// annotation is a line that begins with '#', which Redis and its tools skip:
///
///   #REPL:<id>:<offset>   From here on the log has the bytes of the history `id`, of which
///                         `offset` bytes lie before this line.
///   #REPL:-               From here on it is not known what the bytes are.
///   #OFF:<offset>         Bytes of the history were left out: it goes on at this offset.
///
/// So the offset of any record's end is the last one stated plus the bytes of the commands since.
/// A file of the log states its own history: what the file before said ends with it.
///
/// A value: any thread.
struct AofHistory {
  std::string id;    ///< 40 hexadecimal digits; empty: none that anybody could continue
  int64_t bias = 0;  ///< an offset is a position of the stream plus this

  bool known() const { return !id.empty(); }
  /// The line that states it at a position; with its end.
  std::string Line(int64_t position) const;
  /// The line that says where it goes on; with its end. REQUIRES: known().
  std::string OffsetLine(int64_t position) const;

  friend bool operator==(const AofHistory&, const AofHistory&) = default;
};

/// What an annotation says.
struct AofStatement {
  enum class Kind : uint8_t { kHistory, kUnknown, kOffset };
  Kind kind = Kind::kUnknown;
  std::string_view id = {};  ///< of kHistory, in the line
  int64_t offset = 0;        ///< of kHistory and kOffset; from 0 to 2^62

  /// What a line without its end states. nullopt: it is about something else. A "#REPL" or "#OFF"
  /// that makes no sense is kUnknown.
  static std::optional<AofStatement> Of(std::string_view line);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_HISTORY_H_
