#include "clients/drill/chart.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "clients/drill/amounts.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

constexpr double kWidth = 1000;
constexpr double kLeft = 170;
constexpr double kPlot = kWidth - kLeft - 10;
constexpr double kBand = 60;
constexpr double kGap = 26;
constexpr double kMostBars = 400;  // the height of all clients' bars together
constexpr int kTicks = 12;
constexpr int64_t kBins = 200;

constexpr char kGood[] = "#5a9e5a";
constexpr char kBad[] = "#c8372d";
constexpr char kNoAnswer[] = "#cfcfcf";
constexpr std::array<const char*, 6> kColours = {"#c8372d", "#e08a1e", "#8f5fb5",
                                                 "#2a6fb0", "#3f8f86", "#8a8a8a"};

const char* ColourOf(Sample::Role role) {
  switch (role) {
    case Sample::Role::kPrimary:
      return "#2a6fb0";
    case Sample::Role::kReplica:
      return "#9cc3e6";
    case Sample::Role::kNoAnswer:
      return kNoAnswer;
  }
  return kNoAnswer;
}

/// What of the time line is worth a line through the whole picture: the drill's own act, and the
/// first Sentinel that says a thing of the primary. By time.
std::vector<std::pair<int64_t, std::string>> Marks(const Report& report) {
  std::map<std::string, int64_t> first;
  for (const Event& event : report.records.events) {
    for (const char* channel : {"+sdown master", "+odown master", "+switch-master"}) {
      if (event.text.starts_with(channel)) first.emplace(channel, event.at_ms);
    }
  }
  std::vector<std::pair<int64_t, std::string>> marks = {
      {report.act_ms, std::string(ToText(report.how))}};
  for (const auto& [name, at_ms] : first) marks.emplace_back(at_ms, name);
  std::sort(marks.begin(), marks.end());
  return marks;
}

class Chart {
 public:
  explicit Chart(const Report& report)
      : report_(report), end_ms_(std::max<int64_t>(report.end_ms, 1)) {}

  std::string Svg();

 private:
  double X(int64_t at_ms) const {
    const int64_t within = std::clamp<int64_t>(at_ms, 0, end_ms_);
    return kLeft + kPlot * static_cast<double>(within) / static_cast<double>(end_ms_);
  }
  void Label(double y, std::string_view text);
  void Rect(int64_t from_ms, int64_t to_ms, double y, double height, const char* colour,
            const std::string& title);

  void DrawRoles();
  void DrawLag();
  void DrawErrors();
  void DrawClients();
  void DrawTicks();
  void DrawMarks();

  const Report& report_;
  const int64_t end_ms_;
  double y_ = 70;  // where the next part begins; the marks' names are above
  std::string body_;
};

void Chart::Label(double y, std::string_view text) {
  body_ += absl::StrFormat("<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", kLeft - 8,
                           y, Escape(text));
}

void Chart::Rect(int64_t from_ms, int64_t to_ms, double y, double height, const char* colour,
                 const std::string& title) {
  const double width = std::max(X(to_ms) - X(from_ms), 0.5);
  body_ += absl::StrFormat(
      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\">"
      "<title>%s</title></rect>\n",
      X(from_ms), y, width, height, colour, Escape(title));
}

void Chart::DrawRoles() {
  for (size_t server = 0; server < report_.servers.size(); ++server) {
    const std::string name = ToText(report_.servers[server]);
    Label(y_ + 12, name);
    const Sample* begun = nullptr;
    for (const Sample& sample : report_.records.samples) {
      if (sample.server != server || (begun != nullptr && sample.role == begun->role)) continue;
      if (begun != nullptr) Rect(begun->at_ms, sample.at_ms, y_, 16, ColourOf(begun->role), name);
      begun = &sample;
    }
    if (begun != nullptr) Rect(begun->at_ms, end_ms_, y_, 16, ColourOf(begun->role), name);
    y_ += 20;
  }
  y_ += kGap;
}

void Chart::DrawLag() {
  std::vector<std::vector<std::pair<int64_t, int64_t>>> behind(report_.servers.size());
  int64_t primary = -1;
  int64_t most = 1;
  for (const Sample& sample : report_.records.samples) {
    if (sample.role == Sample::Role::kPrimary) primary = sample.offset;
    if (sample.role != Sample::Role::kReplica || primary < 0) continue;
    const int64_t bytes = std::max<int64_t>(primary - sample.offset, 0);
    behind[sample.server].emplace_back(sample.at_ms, bytes);
    most = std::max(most, bytes);
  }
  Label(y_ + 12, "replicas behind");
  Label(y_ + 28, Concat({"up to ", BytesText(static_cast<double>(most))}));
  for (size_t server = 0; server < behind.size(); ++server) {
    std::string points;
    for (const auto& [at_ms, bytes] : behind[server]) {
      const double height = kBand * static_cast<double>(bytes) / static_cast<double>(most);
      points += absl::StrFormat("%.1f,%.1f ", X(at_ms), y_ + kBand - height);
    }
    body_ += absl::StrFormat(
        "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\"><title>%s</title></polyline>\n",
        points, kColours[(server + 3) % kColours.size()], ToText(report_.servers[server]));
  }
  y_ += kBand + kGap;
}

void Chart::DrawErrors() {
  const int64_t width_ms = std::max<int64_t>(end_ms_ / kBins, 100);
  std::vector<int64_t> total(static_cast<size_t>(end_ms_ / width_ms) + 1);
  for (const auto& [code, times] : report_.records.errors_ms) {
    const std::vector<int64_t> counts = CountByInterval(times, width_ms, end_ms_);
    for (size_t i = 0; i < counts.size(); ++i) total[i] += counts[i];
  }
  const int64_t most = std::max<int64_t>(*std::max_element(total.begin(), total.end()), 1);
  Label(y_ + 12, "errors");
  std::vector<double> top(total.size(), y_ + kBand);
  size_t colour = 0;
  double x = kLeft;
  for (const auto& [code, times] : report_.records.errors_ms) {
    const char* fill = kColours[colour++ % kColours.size()];
    const std::vector<int64_t> counts = CountByInterval(times, width_ms, end_ms_);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      const double height = kBand * static_cast<double>(counts[i]) / static_cast<double>(most);
      top[i] -= height;
      const auto from_ms = static_cast<int64_t>(i) * width_ms;
      Rect(from_ms, from_ms + width_ms, top[i], height, fill, code);
    }
    const std::string legend = Concat({code, " ", std::to_string(times.size())});
    body_ += absl::StrFormat("<text x=\"%.0f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", x,
                             y_ + kBand + 14, fill, Escape(legend));
    x += 8.0 * static_cast<double>(legend.size()) + 12;
  }
  y_ += kBand + kGap;
}

void Chart::DrawClients() {
  const auto count = static_cast<double>(report_.outages.size());
  const double height = std::clamp(kMostBars / std::max(count, 1.0), 1.0, 10.0);
  Label(y_ + 12, "clients");
  for (size_t client = 0; client < report_.outages.size(); ++client) {
    const Outage& outage = report_.outages[client];
    const std::string title = Concat({"client ", std::to_string(client), ": ",
                                      SecondsText(static_cast<double>(outage.ms()) / 1000),
                                      outage.back ? "" : ", did not come back"});
    const double bar = height > 2 ? height - 1 : height;
    Rect(0, end_ms_, y_, bar, kGood, title);
    Rect(outage.from_ms, outage.to_ms, y_, bar, kBad, title);
    y_ += height;
  }
}

void Chart::DrawTicks() {
  int64_t step_ms = 1000;
  for (const int64_t factor : {2, 5, 10, 20, 30, 60, 120, 300, 600}) {
    if (end_ms_ / step_ms > kTicks) step_ms = factor * 1000;
  }
  for (int64_t at_ms = 0; at_ms <= end_ms_; at_ms += step_ms) {
    body_ += absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%d s</text>\n",
                             X(at_ms), y_ + 16, at_ms / 1000);
  }
}

void Chart::DrawMarks() {
  double label = 14;
  for (const auto& [at_ms, name] : Marks(report_)) {
    body_ += absl::StrFormat(
        "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.1f\" stroke=\"#333\" "
        "stroke-dasharray=\"3 3\"/>\n<text x=\"%.1f\" y=\"%.0f\">%s %.1f s</text>\n",
        X(at_ms), X(at_ms), label, y_, X(at_ms) + 4, label, Escape(name),
        static_cast<double>(at_ms) / 1000);
    label += 15;
  }
}

std::string Chart::Svg() {
  DrawRoles();
  DrawLag();
  DrawErrors();
  DrawClients();
  DrawTicks();
  DrawMarks();
  return absl::StrFormat(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
             "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n",
             kWidth, y_ + 24) +
         body_ + "</svg>\n";
}

}  // namespace

std::string ChartSvg(const Report& report) { return Chart(report).Svg(); }

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace cloakroom::drill
