// SVG as text: shapes, escapes, the style sheet, and how wide a text will be.
// Private to authoring/graph.
#pragma once

#include <string>
#include <vector>

#include "authoring/graph/layers.h"

namespace stepwell::graph {

// The width of the text in the usual sans-serif fonts; an estimate that is rather too wide.
double text_width(const std::string& text, double size);
std::string svg_escape(const std::string& text);

std::string svg_rect(double x, double y, double width, double height, double radius,
                     const std::string& classes);
std::string svg_circle(double x, double y, double radius, const std::string& classes);
std::string svg_text(double x, double y, const std::string& classes, const std::string& text);
// A chain of cubic curves: a start, then three points for each.
std::string svg_path(const std::vector<Point>& curve, const std::string& classes, bool has_arrow);
std::string svg_document(const std::string& title, double width, double height,
                         const std::string& body);

}  // namespace stepwell::graph
