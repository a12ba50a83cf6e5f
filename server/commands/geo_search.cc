// Geo commands that search: GEOSEARCH, GEORADIUS, and their forms that store.
#include "server/commands/support/geo_search.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "server/commands/families.h"
#include "server/commands/support/geo_arguments.h"
#include "server/commands/support/long_reply.h"
#include "server/commands/support/scratch_zset.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/access/lookup.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// The commands, which read their arguments in different ways.
enum class SearchForm : uint8_t { kRadius, kRadiusByMember, kSearch, kSearchStore };

/// What a request asks for.
struct SearchRequest {
  GeoShape shape;
  double unit = 1;  ///< metres
  bool from_member = false;
  bool from_point = false;
  bool by_radius = false;
  bool by_box = false;

  enum class Order : uint8_t { kNone, kNearest, kFarthest };
  Order order = Order::kNone;
  size_t count = 0;  ///< 0: all
  bool any = false;
  bool with_distance = false;
  bool with_hash = false;
  bool with_point = false;
  size_t store_at = 0;  ///< the argument with the destination; 0: reply
  bool store_distance = false;
};

/// Reads a request. Redis opens the key first, and looks members up as it comes to them.
class SearchParser {
 public:
  SearchParser(Call& call, SearchForm form, bool may_store, Reading<Zset>& zset)
      : args_(call, 2), form_(form), may_store_(may_store), zset_(zset) {}

  /// Replies with the error if it returns nullopt.
  std::optional<SearchRequest> Parse();

 private:
  bool is_search() const {
    return form_ == SearchForm::kSearch || form_ == SearchForm::kSearchStore;
  }
  void TakeFixed();
  void TakeMember();
  void TakeRadius();
  void TakeBox();
  bool TakePlace();
  bool TakeShape();
  bool TakeStore();
  bool TakeReplyOption();
  void TakeCount();
  void Check();

  Arguments args_;
  const SearchForm form_;
  const bool may_store_;
  Reading<Zset>& zset_;
  SearchRequest request_;
};

// Without the key the member cannot be found, but the other arguments are read nonetheless.
void SearchParser::TakeMember() {
  const std::string_view member = args_.String();
  if (!zset_.exists() || !args_.ok()) return;
  const std::optional<double> score = zset_->Score(member);
  if (!score) return args_.Fail("ERR could not decode requested zset member");
  request_.shape.center = PointOfScore(*score);
}

void SearchParser::TakeRadius() {
  request_.shape.radius = args_.Double("ERR need numeric radius");
  if (request_.shape.radius < 0) args_.Fail("ERR radius cannot be negative");
  request_.unit = TakeGeoUnit(args_);
  request_.shape.radius *= request_.unit;
  request_.shape.is_box = false;
}

void SearchParser::TakeBox() {
  request_.shape.width = args_.Double("ERR need numeric width");
  request_.shape.height = args_.Double("ERR need numeric height");
  if (request_.shape.width < 0 || request_.shape.height < 0) {
    args_.Fail("ERR height or width cannot be negative");
  }
  request_.unit = TakeGeoUnit(args_);
  request_.shape.width *= request_.unit;
  request_.shape.height *= request_.unit;
  request_.shape.is_box = true;
}

// The arguments before the options.
void SearchParser::TakeFixed() {
  switch (form_) {
    case SearchForm::kRadius:
      request_.shape.center = TakeGeoPoint(args_);
      return TakeRadius();
    case SearchForm::kRadiusByMember:
      // Redis does not read the radius without the key.
      if (!zset_.exists()) return args_.GoTo(5);
      TakeMember();
      return TakeRadius();
    case SearchForm::kSearch:
      return;
    case SearchForm::kSearchStore:
      request_.store_at = 1;
      return args_.GoTo(3);
  }
}

bool SearchParser::TakePlace() {
  if (!is_search()) return false;
  if (!request_.from_point && args_.Word("FROMMEMBER", 1)) {
    TakeMember();
    request_.from_member = true;
    return true;
  }
  if (!request_.from_member && args_.Word("FROMLONLAT", 2)) {
    request_.shape.center = TakeGeoPoint(args_);
    request_.from_point = true;
    return true;
  }
  return false;
}

bool SearchParser::TakeShape() {
  if (!is_search()) return false;
  if (!request_.by_box && args_.Word("BYRADIUS", 2)) {
    TakeRadius();
    request_.by_radius = true;
    return true;
  }
  if (!request_.by_radius && args_.Word("BYBOX", 3)) {
    TakeBox();
    request_.by_box = true;
    return true;
  }
  return false;
}

bool SearchParser::TakeStore() {
  if (form_ == SearchForm::kSearchStore && args_.Word("STOREDIST")) {
    request_.store_distance = true;
    return true;
  }
  if (is_search() || !may_store_) return false;
  const bool plain = args_.Word("STORE", 1);
  if (!plain && !args_.Word("STOREDIST", 1)) return false;
  request_.store_at = args_.at();
  request_.store_distance = !plain;
  args_.String();
  return true;
}

void SearchParser::TakeCount() {
  const int64_t count = args_.Integer();
  if (count <= 0) args_.Fail("ERR COUNT must be > 0");
  request_.count = static_cast<size_t>(count);
}

bool SearchParser::TakeReplyOption() {
  if (args_.Word("WITHDIST")) {
    request_.with_distance = true;
  } else if (args_.Word("WITHHASH")) {
    request_.with_hash = true;
  } else if (args_.Word("WITHCOORD")) {
    request_.with_point = true;
  } else if (args_.Word("ANY")) {
    request_.any = true;
  } else if (args_.Word("ASC")) {
    request_.order = SearchRequest::Order::kNearest;
  } else if (args_.Word("DESC")) {
    request_.order = SearchRequest::Order::kFarthest;
  } else if (args_.Word("COUNT", 1)) {
    TakeCount();
  } else {
    return false;
  }
  return true;
}

void SearchParser::Check() {
  const std::string name(args_.call().arg(0));
  if (request_.store_at > 0 &&
      (request_.with_distance || request_.with_hash || request_.with_point)) {
    const std::string what = is_search() ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    args_.Fail("ERR " + what + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
  }
  if (is_search() && !request_.from_member && !request_.from_point) {
    args_.Fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name);
  }
  if (is_search() && !request_.by_radius && !request_.by_box) {
    args_.Fail("ERR exactly one of BYRADIUS and BYBOX can be specified for " + name);
  }
  if (request_.any && request_.count == 0) {
    args_.Fail("ERR the ANY argument requires COUNT argument");
  }
}

std::optional<SearchRequest> SearchParser::Parse() {
  TakeFixed();
  while (args_.More()) {
    if (!TakeReplyOption() && !TakePlace() && !TakeShape() && !TakeStore()) args_.SyntaxError();
  }
  Check();
  if (!args_.Finish()) return std::nullopt;
  // The first ones of any order would make no sense.
  if (request_.count > 0 && request_.order == SearchRequest::Order::kNone && !request_.any) {
    request_.order = SearchRequest::Order::kNearest;
  }
  return request_;
}

/// Sorts by distance; those at equal distance stay in their order.
std::vector<GeoMatch> Sorted(std::vector<GeoMatch> matches, bool farthest_first) {
  std::vector<std::pair<double, size_t>> order;  // distance and index
  order.reserve(matches.size());
  for (size_t i = 0; i < matches.size(); ++i) {
    order.emplace_back(farthest_first ? -matches[i].metres : matches[i].metres, i);
  }
  std::ranges::sort(order);
  std::vector<GeoMatch> sorted;
  sorted.reserve(matches.size());
  for (const auto& [distance, index] : order) sorted.push_back(std::move(matches[index]));
  return sorted;
}

std::vector<GeoMatch> Matches(const SearchRequest& request, const Zset& zset) {
  using Order = SearchRequest::Order;
  std::vector<GeoMatch> matches =
      GeoSearch(request.shape).Run(zset, request.any ? request.count : 0);
  if (request.order != Order::kNone) {
    matches = Sorted(std::move(matches), request.order == Order::kFarthest);
  }
  if (request.count > 0 && matches.size() > request.count) matches.resize(request.count);
  return matches;
}

void ReplyMatches(ReplyWriter& reply, const SearchRequest& request, const Zset& zset) {
  const std::vector<GeoMatch> matches = Matches(request, zset);
  const size_t options = (request.with_distance ? 1u : 0u) + (request.with_hash ? 1u : 0u) +
                         (request.with_point ? 1u : 0u);
  reply.Array(matches.size());
  for (const GeoMatch& match : matches) {
    if (options > 0) reply.Array(options + 1);
    reply.Bulk(std::string_view(match.member));
    if (request.with_distance) ReplyDistance(reply, match.metres / request.unit);
    if (request.with_hash) reply.Integer(IntegerOfScore(match.score));
    if (request.with_point) ReplyPoint(reply, match.point);
  }
}

void Fill(ScratchZset& result, const SearchRequest& request, const Zset& zset) {
  const std::vector<GeoMatch> matches = Matches(request, zset);
  size_t longest = 0;
  for (const GeoMatch& match : matches) longest = std::max(longest, match.member.size());
  if (!matches.empty()) result.Prepare(matches.size(), longest);
  for (const GeoMatch& match : matches) {
    const double score = request.store_distance ? match.metres / request.unit : match.score;
    result.Add({.score = score, .member = match.member});
  }
}

/// The result of a large search that is stored, computed outside the event loop, and from what.
struct PreparedSearch {
  PreparedSearch(SharedValue its_source, const SearchRequest& request, const EncodingLimits& limits)
      : source(std::move(its_source)), result(limits) {
    Fill(result, request, Zset(source.view()));
  }

  SharedValue source;
  ScratchZset result;
};

void StoreFound(Call& call, const SearchRequest& request, const Zset& zset, size_t source_at,
                KeyEvent event) {
  constexpr size_t kLongSearch = 2'000;  // candidates, that is about a millisecond
  const auto put = [&](ScratchZset& result) {
    StoreZset(call, result, event, {request.store_at, source_at, source_at + 1});
  };
  const std::shared_ptr<PreparedSearch> prepared = call.prepared<PreparedSearch>();
  if (prepared != nullptr && zset.Is(prepared->source)) return put(prepared->result);
  if (!zset.empty() && call.may_prepare() &&
      GeoSearch(request.shape).Candidates(zset) > kLongSearch) {
    return call.PrepareOnWorker(
        [source = zset.Share(), request, stale = prepared,
         limits = call.server().keyspace().encoding_limits()](LongWork& work) mutable {
          // Freed here, not on the event loop.
          stale.reset();
          work.prepared = std::make_shared<PreparedSearch>(std::move(source), request, limits);
        });
  }
  ScratchZset result(call.server().keyspace().encoding_limits());
  if (!zset.empty()) Fill(result, request, zset);
  put(result);
}

void Search(Call& call, SearchForm form, bool may_store = true) {
  const size_t source_at = form == SearchForm::kSearchStore ? 2 : 1;
  Reading<Zset> zset(call, call.arg(source_at));
  if (!zset.ok()) return;
  const std::optional<SearchRequest> request = SearchParser(call, form, may_store, zset).Parse();
  if (!request) return;
  if (request->store_at > 0) {
    const bool search = form == SearchForm::kSearchStore;
    return StoreFound(call, *request, *zset, source_at,
                      search ? KeyEvent("geosearchstore") : KeyEvent("georadiusstore"));
  }
  if (!zset.exists()) return call.reply().Array(0);
  ReplyFrom(call, *zset, GeoSearch(request->shape).Candidates(*zset),
            [request = *request](ReplyWriter& reply, const Zset& view) {
              ReplyMatches(reply, request, view);
            });
}

void GeoRadius(Call& call) { Search(call, SearchForm::kRadius); }
void GeoRadiusRo(Call& call) { Search(call, SearchForm::kRadius, /*may_store=*/false); }
void GeoRadiusByMember(Call& call) { Search(call, SearchForm::kRadiusByMember); }
void GeoRadiusByMemberRo(Call& call) {
  Search(call, SearchForm::kRadiusByMember, /*may_store=*/false);
}
void GeoSearchCommand(Call& call) { Search(call, SearchForm::kSearch); }
void GeoSearchStore(Call& call) { Search(call, SearchForm::kSearchStore); }

/// GEORADIUS stores in the key behind its last STORE. The key specs find the first; a request that
/// repeats the word gets the whole database.
Access AccessOfRadius(Server& /*server*/, CommandArguments args) {
  const auto words = std::ranges::count_if(args, [](std::string_view arg) {
    const absl::string_view word(arg.data(), arg.size());
    return absl::EqualsIgnoreCase(word, "store") || absl::EqualsIgnoreCase(word, "storedist");
  });
  return words > 1 ? Access::kWhole : Access::kKeys;
}

constexpr std::string_view kOfSearch =
    "O(N+log(M)) for N members in the cells around the area, M members in all.";

// Read as a table.
// clang-format off
constexpr CommandRow kGeoSearchCommands[] = {
    {.name = "georadius", .run = GeoRadius, .arity = -6, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {Key(1, kRO | kAccess), KeysAfter("STORE", 6, {.last = 0}, kOW | kUpdate),
              KeysAfter("STOREDIST", 6, {.last = 0}, kOW | kUpdate)},
     .access_of = AccessOfRadius, .since = "3.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
     .complexity = kOfSearch,
     .syntax = "key longitude latitude radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] "
               "[WITHHASH] [count: <COUNT count> [ANY]] [order: ASC | DESC] [STORE key] "
               "[STOREDIST key]",
     .summary = "Returns or stores the places within a distance of a point."},
    {.name = "georadius_ro", .run = GeoRadiusRo, .arity = -6, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "3.2.10",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument",
     .complexity = kOfSearch,
     .syntax = "key longitude latitude radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] "
               "[WITHHASH] [count: <COUNT count> [ANY]] [order: ASC | DESC]",
     .summary = "Returns the places within a distance of a point."},
    {.name = "georadiusbymember", .run = GeoRadiusByMember, .arity = -5,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {Key(1, kRO | kAccess), KeysAfter("STORE", 5, {.last = 0}, kOW | kUpdate),
              KeysAfter("STOREDIST", 5, {.last = 0}, kOW | kUpdate)},
     .access_of = AccessOfRadius, .since = "3.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` "
                    "arguments",
     .complexity = kOfSearch,
     .syntax = "key member radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[count: <COUNT count> [ANY]] [order: ASC | DESC] [STORE key] [STOREDIST key]",
     .summary = "Returns or stores the places within a distance of another place."},
    {.name = "georadiusbymember_ro", .run = GeoRadiusByMemberRo, .arity = -5, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "3.2.10",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
     .complexity = kOfSearch,
     .syntax = "key member radius <unit: M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[count: <COUNT count> [ANY]] [order: ASC | DESC]",
     .summary = "Returns the places within a distance of another place."},
    {.name = "geosearch", .run = GeoSearchCommand, .arity = -7, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "6.2.0", .complexity = kOfSearch,
     .syntax = "key <from: FROMMEMBER member | <longitude_latitude: FROMLONLAT longitude "
               "latitude>> <by: <circle: <BYRADIUS radius> <unit: M | KM | FT | MI>> | <box: "
               "<BYBOX width> height <unit: M | KM | FT | MI>>> [order: ASC | DESC] [count: "
               "<COUNT count> [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
     .summary = "Returns the places in a circle or a rectangle."},
    {.name = "geosearchstore", .run = GeoSearchStore, .arity = -8, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kOW | kUpdate), Key(2, kRO | kAccess)}, .since = "6.2.0",
     .complexity = kOfSearch,
     .syntax = "destination source <from: FROMMEMBER member | <longitude_latitude: FROMLONLAT "
               "longitude latitude>> <by: <circle: <BYRADIUS radius> <unit: M | KM | FT | MI>> | "
               "<box: <BYBOX width> height <unit: M | KM | FT | MI>>> [order: ASC | DESC] [count: "
               "<COUNT count> [ANY]] [STOREDIST]",
     .summary = "Stores the places in a circle or a rectangle in another key."},
};
// clang-format on

}  // namespace

CommandFamily GeoSearchCommands() { return {CommandGroup::kGeo, kCatGeo, kGeoSearchCommands}; }

}  // namespace cloakroom
