// Which files the commands take for workflows.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_("/tmp/stepwell-files-XXXXXX") { path_ = ::mkdtemp(path_.data()); }
  ~Folder() { fs::remove_all(path_); }
  void touch(const std::string& name) {
    fs::create_directories(fs::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << "x";
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> names_in(const Folder& folder) {
  std::vector<std::string> names;
  for (const auto& file : find_workflows({folder.path()}).value()) names.push_back(file.name);
  return names;
}

TEST(WorkflowFiles, TakesYamlAndJsonButNoTranscriptsAndNothingHidden) {
  Folder folder;
  for (const char* name :
       {"b.yaml", "a.yml", "sub/c.asl.json", "d.json", "b.test.yaml", "e.txt", ".hidden/f.yaml"}) {
    folder.touch(name);
  }
  EXPECT_EQ(names_in(folder), (std::vector<std::string>{"a", "b", "d", "c"}));
  EXPECT_EQ(find_transcripts({folder.path()}).value(),
            std::vector<std::string>{folder.path() + "/b.test.yaml"});
}

TEST(WorkflowFiles, TakesANamedFileAsItIs) {
  Folder folder;
  folder.touch("flow.txt");
  const auto found = find_workflows({folder.path() + "/flow.txt"}).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "flow");
}

TEST(WorkflowFiles, SaysWhatIsNotThere) {
  const auto found = find_workflows({"/no/such/place"});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message, "there is no file or folder /no/such/place");
}

}  // namespace
}  // namespace stepwell::cli
