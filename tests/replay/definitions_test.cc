// What the check of a release accepted is built by every later release, and means the same.
//
//   tests/replay/definitions/RELEASE/NAME.yaml    a definition that the check of RELEASE accepted
//   tests/replay/definitions/RELEASE/NAME.expect  what it was built to
//
// A file here is never changed, whatever check says of it by now.  A new field, word or rule comes
// with a definition of its own; the tests below name what is missing.  STEPWELL_BLESS=1 writes the
// .expect of a new one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "dsl/dsl.h"
#include "dsl/tables/fields.h"
#include "dsl/tables/objects.h"
#include "dsl/yaml/document.h"
#include "tests/golden/files.h"
#include "tests/property/random_workflow.h"

namespace stepwell::dsl {
namespace {

namespace fs = std::filesystem;
using stepwell::testing::expect_file;
using stepwell::testing::read_file;

std::vector<fs::path> texts_in(const fs::path& folder) {
  std::vector<fs::path> list;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    const bool is_test = entry.path().stem().extension() == ".test";
    if ((extension == ".yaml" || extension == ".json") && !is_test) list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  EXPECT_FALSE(list.empty()) << folder;
  return list;
}

// The ids that journals and snapshots have for machines and states, and what they mean.
std::string layout_of(const Program& program) {
  std::string text = "program " + program.hash + "\n";
  for (std::size_t m = 0; m < program.machines.size(); ++m) {
    const Machine& machine = program.machines[m];
    text += "machine " + std::to_string(m) + " starts at " +
            std::to_string(machine.start_at.value) + "\n";
    for (std::size_t s = 0; s < machine.states.size(); ++s) {
      const State& state = machine.states[s];
      text += "  " + std::to_string(s) + " " + kind_name(state.kind) + " \"" + state.name +
              "\" in line " + std::to_string(state.where.line) + ", expressions " +
              std::to_string(state.expressions.size()) + "\n";
    }
  }
  return text;
}

TEST(Definitions, OfEveryReleaseAreBuiltForEver) {
  for (fs::path path : texts_in(STEPWELL_DEFINITIONS)) {
    const auto program = build(read_file(path), path.filename().string());
    ASSERT_TRUE(program.ok()) << path << ": " << program.error().message;
    expect_file(path.replace_extension(".expect"), layout_of(**program));
  }
}

TEST(Definitions, AreLoadedAsTheyWereStored) {
  for (const fs::path& path : texts_in(STEPWELL_DEFINITIONS)) {
    const std::string source = read_file(path);
    const ProgramRef built = build(source, "a.yaml").value();
    StoredText stored{built->hash, source, built->definition.to_json(), "a.yaml"};
    const auto loaded = load(stored);
    ASSERT_TRUE(loaded.ok()) << path << ": " << loaded.error().message;
    EXPECT_EQ(layout_of(**loaded), layout_of(*built)) << path;
    stored.source = "a text that today's reader makes nothing of: [";
    const auto defined = load(stored);
    ASSERT_TRUE(defined.ok()) << path << ": " << defined.error().message;
    EXPECT_EQ((*defined)->hash, built->hash) << path;
  }
}

// ---- Is everything there that a release accepts? ----------------------------------------------

// "retrier.MaxAttempts", "kTask.JSONPath.Retry", "QueryLanguage=JSONata": what a document uses.
class Uses {
 public:
  void look_at(const Node& workflow) {
    look_at_machine(workflow, ObjectKind::kWorkflow, Language::kJsonPath);
  }
  bool has(const std::string& use) const { return seen_.contains(use); }

  static std::string of(ObjectKind kind, Language language, const std::string& field) {
    return "object " + std::to_string(static_cast<int>(kind)) + " in " + name(language) + ": " +
           field;
  }
  static std::string of(Kind kind, Language language, const std::string& field) {
    return std::string(name_of(kind)) + " in " + name(language) + ": " + field;
  }

 private:
  static std::string name(Language language) {
    return language == Language::kJsonPath ? "JSONPath" : "JSONata";
  }
  static Language language_of(const Node& node, Language outer) {
    const Member* member = node.find("QueryLanguage");
    if (member == nullptr) return outer;
    return member->node->value == Value("JSONata") ? Language::kJsonata : Language::kJsonPath;
  }

  void note_word(const Member& member) {
    if (member.node->value.is_string()) {
      seen_.insert(member.key + "=" + member.node->value.as_string());
    }
  }
  void look_at_object(const Node& node, ObjectKind kind, Language language) {
    for (const Member& member : node.members) {
      seen_.insert(of(kind, language, member.key));
      note_word(member);
      if (kind == ObjectKind::kChoiceRule) {
        if (member.key == "Not") look_at_object(*member.node, kind, language);
        if (member.key == "And" || member.key == "Or") look_at_list(member, kind, language);
      }
      if (member.key == "ReaderConfig") {
        look_at_object(*member.node, ObjectKind::kReaderConfig, language);
      }
      if (member.key == "Retry") look_at_list(member, ObjectKind::kRetrier, language);
      if (member.key == "Catch") look_at_list(member, ObjectKind::kCatcher, language);
    }
  }
  void look_at_list(const Member& list, ObjectKind kind, Language language) {
    for (const Node* item : list.node->items) look_at_object(*item, kind, language);
  }
  void look_at_machine(const Node& node, ObjectKind kind, Language language) {
    if (kind == ObjectKind::kWorkflow) language = language_of(node, language);
    look_at_object(node, kind, language);
    if (const Member* groups = node.find("Groups")) {
      for (const Member& group : groups->node->members) {
        look_at_object(*group.node, ObjectKind::kGroup, language);
      }
    }
    if (const Member* config = node.find("ProcessorConfig")) {
      look_at_object(*config->node, ObjectKind::kProcessorConfig, language);
    }
    for (const Member& state : node.find("States")->node->members) {
      look_at_state(*state.node, language);
    }
  }
  void look_at_state(const Node& state, Language machine) {
    const Kind kind = *kind_named(state.find("Type")->node->value.as_string());
    const Language language = language_of(state, machine);
    for (const Member& member : state.members) {
      seen_.insert(of(kind, language, member.key));
      note_word(member);
      if (member.key == "Branches") {
        for (const Node* branch : member.node->items) {
          look_at_machine(*branch, ObjectKind::kBranch, machine);
        }
      }
      const bool is_processor = member.key == "ItemProcessor" || member.key == "Iterator";
      if (is_processor) look_at_machine(*member.node, ObjectKind::kProcessor, machine);
      if (member.key == "Choices") look_at_list(member, ObjectKind::kChoiceRule, language);
      if (member.key == "Retry") look_at_list(member, ObjectKind::kRetrier, language);
      if (member.key == "Catch") look_at_list(member, ObjectKind::kCatcher, language);
      if (member.key == "ItemReader") {
        look_at_object(*member.node, ObjectKind::kItemReader, language);
      }
      if (member.key == "ItemBatcher") {
        look_at_object(*member.node, ObjectKind::kItemBatcher, language);
      }
      if (member.key == "ResultWriter") {
        look_at_object(*member.node, ObjectKind::kResultWriter, language);
      }
    }
  }

  std::set<std::string> seen_;
};

TEST(Definitions, HaveEveryFieldAndWordOfTheTables) {
  Uses uses;
  for (const fs::path& path : texts_in(STEPWELL_DEFINITIONS)) {
    const std::string text = read_file(path);
    Findings findings(path.string());
    const Document document = read_document(text, path.string(), findings);
    uses.look_at(*document.root);
  }
  for (const Language language : {Language::kJsonPath, Language::kJsonata}) {
    for (const std::string& kind_word : kind_names()) {
      const Kind kind = *kind_named(kind_word);
      for (const std::string& field : legal_fields(kind, language)) {
        if (is_free(field) || field == "QueryLanguage") continue;
        EXPECT_TRUE(uses.has(Uses::of(kind, language, field)))
            << Uses::of(kind, language, field) << " is in no definition";
      }
    }
    for (int kind = 0; kind <= static_cast<int>(ObjectKind::kResultWriter); ++kind) {
      for (const std::string& field : fields_in(static_cast<ObjectKind>(kind), language)) {
        const std::string here = Uses::of(static_cast<ObjectKind>(kind), language, field);
        const std::string there =
            Uses::of(static_cast<ObjectKind>(kind), Language::kJsonPath, field);
        EXPECT_TRUE(uses.has(here) || uses.has(there)) << here << " is in no definition";
      }
    }
  }
  for (const char* field :
       {"QueryLanguage", "Version", "Mode", "ExecutionType", "JitterStrategy", "RetryAfter"}) {
    for (const std::string& word : words_in(field)) {
      EXPECT_TRUE(uses.has(std::string(field) + "=" + word))
          << field << " " << word << " is in no definition";
    }
  }
}

// Every rule that only warns: a release may make an error of it.
TEST(Definitions, HaveWhatEveryWarningIsAbout) {
  std::set<std::string> provoked;
  for (const fs::path& path : texts_in(STEPWELL_DEFINITIONS)) {
    for (const Diagnostic& one : compile(read_file(path)).diagnostics) provoked.insert(one.code);
  }
  const std::string page = read_file(STEPWELL_DIAGNOSTICS);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = page.find("` | *Warning", at)) != std::string::npos; ++at) {
    const std::size_t begin = page.rfind('`', at - 1) + 1;
    const std::string code = page.substr(begin, at - begin);
    EXPECT_TRUE(provoked.contains(code)) << code << " is a warning about no definition here";
    ++count;
  }
  EXPECT_GE(count, 20u);
}

// ---- What check accepts, build builds ---------------------------------------------------------

// Both ways, from the text and from what is stored, it is the same program.
void expect_agreement(const std::string& text, const std::string& file) {
  const Compiled compiled = compile(text, {.file = file, .known_resources = {}});
  const auto built = build(text, file);
  if (!compiled.ok()) {
    // A rule of check refuses it; build makes of it what it can, and never throws.
    EXPECT_TRUE(built.ok() || built.error().code == ErrorCode::kUnavailable) << file;
    return;
  }
  ASSERT_TRUE(built.ok()) << file << ": " << built.error().message;
  EXPECT_EQ(layout_of(**built), layout_of(*compiled.program)) << file;
  const auto defined = build(compiled.program->definition.to_json(), file);
  ASSERT_TRUE(defined.ok()) << file << ": " << defined.error().message;
  EXPECT_EQ((*defined)->hash, compiled.program->hash) << file;
}

TEST(Build, AcceptsWhatCheckAccepts) {
  for (const char* folder : {STEPWELL_DEFINITIONS, STEPWELL_GOLDENS, STEPWELL_WORKFLOWS}) {
    for (const fs::path& path : texts_in(folder)) {
      expect_agreement(read_file(path), path.filename().string());
    }
  }
}

TEST(Build, AcceptsWhatCheckAcceptsOfRandomWorkflows) {
  for (std::uint64_t seed = 1; seed <= 1000 && !HasFailure(); ++seed) {
    const auto workflow = stepwell::testing::random_workflow(seed, stepwell::testing::Mood::kWild);
    const std::string text = workflow.definition.to_json();
    EXPECT_TRUE(compile(text).ok()) << "seed " << seed;
    expect_agreement(text, "seed " + std::to_string(seed));
  }
}

// A definition of a newer Stepwell is not built to what this one happens to understand of it.
TEST(Build, SaysWhereItDoesNotKnowWhatIsMeant) {
  const auto why = [](const std::string& state, const std::string& more = "") {
    const auto built = build("StartAt: A\nStates:\n  A: " + state + "\n" + more, "new.yaml");
    if (built.ok()) return std::string("built");
    EXPECT_EQ(built.error().code, ErrorCode::kUnavailable);
    return built.error().message;
  };
  EXPECT_EQ(why("{Type: Pass, End: true}"), "built");
  EXPECT_EQ(why("{Type: Loop, End: true}"), "new.yaml:3:13: there is no type of state \"Loop\"");
  EXPECT_EQ(why("{Type: Pass, Deadline: 5, End: true}"),
            "new.yaml:3:19: a Pass state has no field \"Deadline\"");
  EXPECT_EQ(why("{Type: Pass, End: true}", "Deadline: {Start: 5}\n"),
            "new.yaml:4:1: there is no field \"Deadline\"");
  EXPECT_EQ(why("{Type: Pass, QueryLanguage: CEL, End: true}"),
            "new.yaml:3:34: \"QueryLanguage\" cannot be \"CEL\"");
  EXPECT_EQ(why("{Type: Pass, End: true}", "Version: '2.0'\n"),
            "new.yaml:4:10: \"Version\" cannot be \"2.0\"");
  EXPECT_EQ(why("{Type: Task, Resource: a.b, Retry: [{ErrorEquals: [X], JitterStrategy: EQUAL}]}"),
            "new.yaml:3:77: \"JitterStrategy\" cannot be \"EQUAL\"");
  EXPECT_EQ(why("{Type: Task, Resource: a.b, Retry: [{ErrorEquals: [X], MaxAttempts: all}]}"),
            "new.yaml:3:74: a whole number up to 4294967295 is expected here");
  EXPECT_EQ(why("{Type: Wait, Seconds: five, End: true}"),
            "new.yaml:3:28: a number is expected here");
  EXPECT_EQ(why("{Type: Choice, Choices: [{Variable: $.a, IsEmpty: true, Next: A}]}"),
            "new.yaml:3:47: there is no field \"IsEmpty\"");
  EXPECT_EQ(why("{Type: Pass, Parameters: {a.$: States.Sum($.a)}, End: true}").substr(0, 30),
            "new.yaml:3:31: not an expressi");
  EXPECT_EQ(why("{Type: Pass, Next: B}"), "new.yaml:3:25: there is no state \"B\"");
}

TEST(Load, TellsANewerDefinitionFromADamagedOne) {
  const std::string text = "StartAt: A\nStates: {A: {Type: Pass, End: true}}\n";
  const ProgramRef program = build(text, "a.yaml").value();
  const std::string newer = R"({"StartAt":"A","States":{"A":{"Type":"Loop","End":true}}})";
  const auto unknown = load({"hash", newer, newer, "a.yaml"});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(unknown.error().message,
            "this version of Stepwell does not know what stands in the program hash: "
            "a.yaml:1:38: there is no type of state \"Loop\"");
  const auto other = load({"hash", text, program->definition.to_json(), "a.yaml"});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kInternal);
  EXPECT_EQ(other.error().message,
            "the definition that is stored as the program hash is the program " + program->hash);
}

// Without the author's text there are no lines to name: none, and not those of another text.
TEST(Load, HasTheLinesOfTheAuthorsTextOrNone) {
  const std::string text = "# A comment.\nStartAt: A\nStates: {A: {Type: Pass, End: true}}\n";
  const ProgramRef program = build(text, "a.yaml").value();
  const StatePlace state{MachineId{0}, StateId{0}, {}};
  EXPECT_EQ(place_text(*program, state), "a.yaml:3:10");
  StoredText stored{program->hash, text, program->definition.to_json(), "a.yaml"};
  EXPECT_EQ(place_text(*load(stored).value(), state), "a.yaml:3:10");
  stored.source = "StartAt: B\nStates: {B: {Type: Pass, End: true}}\n";
  EXPECT_EQ(place_text(*load(stored).value(), state), "");
}

}  // namespace
}  // namespace stepwell::dsl
