#include "authoring/graph/svg_text.h"

#include <cmath>
#include <cstdint>

namespace stepwell::graph {

namespace {

// Light or dark as the reader's system prefers.  Each outcome has a colour and a style of outline,
// so that the colour-blind can tell them apart.
constexpr const char* kStyle = R"(
svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #8a939d; --box: #f6f8fa;
  --lane: #ffffff; --good: #dafbe1; --good-line: #1a7f37; --bad: #ffebe9; --bad-line: #cf222e;
  --warn: #fff3d1; --warn-line: #9a6700; --run: #ddf4ff; --run-line: #0969da; --task: #0969da;
  --flow: #8250df; --wait: #9a6700; --pass: #59636e;
  font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #6e7681; --box: #161b22;
    --lane: #0d1117; --good: #12261e; --good-line: #3fb950; --bad: #2d1215; --bad-line: #f85149;
    --warn: #2b2110; --warn-line: #d29922; --run: #0c2d4d; --run-line: #4493f8; --task: #4493f8;
    --flow: #a371f7; --wait: #d29922; --pass: #9198a1; }
}
.paper { fill: var(--paper); }
.box, .sheet { fill: var(--box); stroke: var(--line); }
.lane { fill: var(--lane); stroke: var(--line); stroke-opacity: 0.4; }
.dot { fill: var(--ink); }
.ring { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.mark { fill: var(--pass); }
.task > .mark { fill: var(--task); }
.choice > .mark, .parallel > .mark, .map > .mark { fill: var(--flow); }
.wait > .mark { fill: var(--wait); }
.fail > .box { stroke: var(--bad-line); }
.succeed > .box { stroke: var(--good-line); }
.succeeded > .box, .succeeded > .sheet { fill: var(--good); stroke: var(--good-line); }
.failed > .box, .failed > .sheet { fill: var(--bad); stroke: var(--bad-line); stroke-width: 2; }
.caught > .box, .caught > .sheet { fill: var(--warn); stroke: var(--warn-line);
  stroke-dasharray: 6 3; }
.stopped > .box, .stopped > .sheet { stroke: var(--warn-line); stroke-dasharray: 2 3; }
.running > .box, .running > .sheet { fill: var(--run); stroke: var(--run-line);
  stroke-width: 2.5; }
.unreached > .box, .unreached > .sheet { stroke-opacity: 0.5; stroke-dasharray: 3 3; }
.unreached > text, .unreached > .mark { opacity: 0.55; }
text { fill: var(--ink); font-size: 11px; }
text.name { font-size: 13px; font-weight: 600; }
text.detail, .label text, text.label { fill: var(--soft); }
text.middle { text-anchor: middle; }
text.end { text-anchor: end; }
.edge { fill: none; stroke: var(--line); stroke-width: 1.4; }
.edge.catch, .edge.retry { stroke-dasharray: 5 3; }
.edge.untaken, .label.untaken text { opacity: 0.4; }
marker path { fill: var(--line); }
)";

// Widths of the printable ASCII characters in thousandths of the size, as in Helvetica.
constexpr std::uint16_t kWidths[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

// With one decimal at most, so that files stay small and can be compared.
std::string number(double value) {
  const auto tenths = static_cast<std::int64_t>(std::llround(value * 10));
  const std::int64_t whole = tenths / 10, part = std::llabs(tenths % 10);
  std::string text = tenths < 0 && whole == 0 ? "-0" : std::to_string(whole);
  if (part != 0) text += "." + std::to_string(part);
  return text;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}

}  // namespace

double text_width(const std::string& text, double size) {
  double thousandths = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      thousandths += kWidths[byte - 0x20];
    } else if (byte >= 0xe3) {
      thousandths += 1000;  // Chinese, Japanese, Korean and pictures: square.
    } else if (byte >= 0xc0) {
      thousandths += 650;
    }
  }
  return thousandths * size / 1000 * 1.08;
}

std::string svg_escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (byte >= 0x20 || c == '\n' || c == '\t') {
      out += c;  // XML has no other control characters.
    }
  }
  return out;
}

std::string svg_rect(double x, double y, double width, double height, double radius,
                     const std::string& classes) {
  return "<rect" + attribute("class", classes) + attribute("x", number(x)) +
         attribute("y", number(y)) + attribute("width", number(width)) +
         attribute("height", number(height)) + attribute("rx", number(radius)) + "/>\n";
}

std::string svg_circle(double x, double y, double radius, const std::string& classes) {
  return "<circle" + attribute("class", classes) + attribute("cx", number(x)) +
         attribute("cy", number(y)) + attribute("r", number(radius)) + "/>\n";
}

std::string svg_text(double x, double y, const std::string& classes, const std::string& text) {
  return "<text" + attribute("class", classes) + attribute("x", number(x)) +
         attribute("y", number(y)) + ">" + svg_escape(text) + "</text>\n";
}

std::string svg_path(const std::vector<Point>& curve, const std::string& classes, bool has_arrow) {
  std::string path;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    path += i == 0 ? "M" : i % 3 == 1 ? " C" : " ";
    path += number(curve[i].x) + "," + number(curve[i].y);
  }
  return "<path" + attribute("class", classes) + attribute("d", path) +
         (has_arrow ? attribute("marker-end", "url(#arrow)") : "") + "/>\n";
}

std::string svg_document(const std::string& title, double width, double height,
                         const std::string& body) {
  const std::string size = number(width) + " " + number(height);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", number(width)) +
         attribute("height", number(height)) + attribute("viewBox", "0 0 " + size) +
         " role=\"img\">\n<title>" + svg_escape(title) + "</title>\n<style>" + kStyle +
         "</style>\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
         "markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
         "<path d=\"M0,0.5 L8,4 L0,7.5 z\"/></marker></defs>\n" +
         svg_rect(0, 0, width, height, 0, "paper") + body + "</svg>\n";
}

}  // namespace stepwell::graph
