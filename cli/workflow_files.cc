#include "cli/workflow_files.h"

#include <algorithm>
#include <filesystem>

namespace stepwell::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTranscriptEnd = ".test.yaml";
constexpr std::string_view kWorkflowEnds[] = {".asl.json", ".yaml", ".yml", ".json"};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

// "backfill" of "workflows/backfill.yaml"; empty when it does not look like a workflow.
std::string workflow_name(const std::string& path) {
  const std::string file = fs::path(path).filename().string();
  if (ends_with(file, kTranscriptEnd)) return "";
  for (const std::string_view end : kWorkflowEnds) {
    if (ends_with(file, end)) return file.substr(0, file.size() - end.size());
  }
  return "";
}

// Files below the paths that `wanted` likes; named files in any case.
template <class Wanted>
Result<std::vector<std::string>> find_files(const std::vector<std::string>& paths, Wanted wanted) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (status.type() == fs::file_type::none) {
      return Error{ErrorCode::kDenied, "cannot read " + path + ": " + failed.message()};
    }
    if (!fs::exists(status)) {
      return Error{ErrorCode::kNotFound, "there is no file or folder " + path};
    }
    if (!fs::is_directory(status)) {
      found.push_back(path);
      continue;
    }
    auto entry = fs::recursive_directory_iterator(
        path, fs::directory_options::skip_permission_denied, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
      const std::string file = entry->path().lexically_normal().string();
      if (entry->path().filename().string().front() == '.') {
        entry.disable_recursion_pending();
      } else if (entry->is_regular_file() && wanted(file)) {
        found.push_back(file);
      }
    }
    if (failed) {
      return Error{ErrorCode::kDenied, "cannot read the folder " + path + ": " + failed.message()};
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Result<std::vector<WorkflowFile>> find_workflows(const std::vector<std::string>& paths) {
  const auto files =
      TRY(find_files(paths, [](const std::string& file) { return !workflow_name(file).empty(); }));
  std::vector<WorkflowFile> found;
  for (const std::string& file : files) {
    const std::string name = workflow_name(file);
    found.push_back({file, name.empty() ? fs::path(file).stem().string() : name});
  }
  return found;
}

Result<std::vector<std::string>> find_transcripts(const std::vector<std::string>& paths) {
  return find_files(paths, [](const std::string& file) { return ends_with(file, kTranscriptEnd); });
}

namespace {

template <class Write>
std::size_t each_rendered(const std::vector<dsl::Diagnostic>& diagnostics,
                          const std::string& source, Write write) {
  std::size_t errors = 0;
  for (const dsl::Diagnostic& diagnostic : diagnostics) {
    errors += diagnostic.severity == dsl::Severity::kError ? 1 : 0;
    write(dsl::render(diagnostic, source));
  }
  return errors;
}

}  // namespace

std::size_t show_diagnostics(Console& console, const std::vector<dsl::Diagnostic>& diagnostics,
                             const std::string& source) {
  return each_rendered(diagnostics, source, [&](const std::string& text) { console.say(text); });
}

std::size_t print_diagnostics(Console& console, const std::vector<dsl::Diagnostic>& diagnostics,
                              const std::string& source) {
  return each_rendered(diagnostics, source, [&](const std::string& text) { console.print(text); });
}

}  // namespace stepwell::cli
