// The provider folders in the tree: their manifests are valid, their Lua compiles, and each
// function that a manifest promises is there.
#include <gtest/gtest.h>

#include "providers/host/broker/folder.h"
#include "tests/providers/plugin_driver.h"

namespace stepwell::host {
namespace {

TEST(Shipped, FoldersKeepWhatTheirManifestsPromise) {
  const auto folders = read_folders({"providers"});
  ASSERT_TRUE(folders.ok()) << folders.error().message;
  if (folders->empty()) GTEST_SKIP() << "no folder below ./providers";
  for (const auto& [id, folder] : *folders) {
    PluginDriver plugin;
    Object files, maps;
    for (const auto& [path, text] : folder->files) files.set(path, text);
    for (const auto& [name, text] : folder->maps) maps.set(name, text);
    plugin.send(Value(Object{{"f", "load"},
                             {"provider", id},
                             {"version", "v"},
                             {"library", folder->manifest.is_library},
                             {"files", Value(std::move(files))},
                             {"maps", Value(std::move(maps))}}));
    std::int64_t call = 0;
    for (const std::string& function : folder->manifest.functions) {
      plugin.call(++call, function);
      const auto frame = plugin.receive();
      ASSERT_TRUE(frame.has_value()) << id << "." << function;
      // Without arguments it fails, or asks for something; it must not be missing or broken.
      const std::string said = outcome(frame);
      EXPECT_EQ(said.find("has no function"), std::string::npos) << said;
      EXPECT_EQ(said.find("syntax error"), std::string::npos) << said;
    }
  }
}

}  // namespace
}  // namespace stepwell::host
