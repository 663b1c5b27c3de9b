#include "cli/coverage.h"

#include <algorithm>

namespace stepwell::cli {
namespace {

using transcript::Part;

constexpr Part::Kind kKinds[] = {Part::Kind::kState, Part::Kind::kTransition, Part::Kind::kRetrier,
                                 Part::Kind::kCatcher};

struct Figures {
  std::int64_t total = 0, reached = 0;
};

Figures figures_of(const std::vector<Part>& parts, Part::Kind kind) {
  Figures figures;
  for (const Part& part : parts) {
    if (part.kind != kind) continue;
    ++figures.total;
    figures.reached += part.reached ? 1 : 0;
  }
  return figures;
}

// "3 of 4 states, 5 of 5 transitions"; kinds of which there are none are left out.
std::string figures_text(const std::vector<Part>& parts) {
  std::string text;
  for (const Part::Kind kind : kKinds) {
    const auto [total, reached] = figures_of(parts, kind);
    if (total == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(reached) + " of " + std::to_string(total) +
            " " + to_string(kind) + (total == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

void Coverage::add(const std::string& workflow, const std::vector<transcript::Part>& parts) {
  if (parts.empty()) return;  // It did not compile.
  transcript::merge(workflows_[workflow], parts);
}

double Coverage::percent() const {
  std::size_t total = 0, reached = 0;
  for (const auto& [file, parts] : workflows_) {
    total += parts.size();
    reached += static_cast<std::size_t>(
        std::count_if(parts.begin(), parts.end(), [](const Part& p) { return p.reached; }));
  }
  if (total == 0) return 100;
  return 100.0 * static_cast<double>(reached) / static_cast<double>(total);
}

void Coverage::print_json(Console& console) const {
  for (const auto& [file, parts] : workflows_) {
    Object figures;
    for (const Part::Kind kind : kKinds) {
      const auto [total, reached] = figures_of(parts, kind);
      figures.set(std::string(to_string(kind)) + "s",
                  Object{{"total", total}, {"reached", reached}});
    }
    Value::Array unreached;
    for (const Part& part : parts) {
      if (part.reached) continue;
      Object about{{"kind", to_string(part.kind)}, {"what", part.what}};
      about.set("line", part.line);
      about.set("column", part.column);
      about.set("pointer", part.pointer);
      unreached.push_back(std::move(about));
    }
    console.print(Value(Object{{"workflow", file},
                               {"coverage", std::move(figures)},
                               {"unreached", std::move(unreached)}})
                      .to_json());
  }
}

void Coverage::print(Console& console) const {
  for (const auto& [file, parts] : workflows_) {
    console.print(console.bold(file) + ": " + figures_text(parts));
    for (const Part& part : parts) {
      if (part.reached) continue;
      const std::string place =
          file + ":" + std::to_string(part.line) + ":" + std::to_string(part.column);
      console.print("  " + place + ": no test reaches the " + to_string(part.kind) + " " +
                    part.what);
    }
  }
}

}  // namespace stepwell::cli
