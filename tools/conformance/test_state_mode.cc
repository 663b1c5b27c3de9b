// test_state — recorded calls of TestState.
#include <chrono>
#include <exception>

#include "authoring/teststate/teststate.h"
#include "tools/conformance/functions.h"
#include "tools/conformance/modes.h"

namespace stepwell::conformance {

namespace {

Value refusal_line(const Value& id, const std::string& code, const std::string& message) {
  return Object{{"id", id}, {"error", Object{{"code", code}, {"message", message}}}};
}

// The call as it was made, its JSON as texts.
Value call_of(const Value& about) {
  const Value* params = about.find("params");
  Object call = params != nullptr && params->is_object() ? params->as_object() : Object();
  if (const Value* definition = about.find("definition")) {
    call.set("definition", definition->to_json());
  }
  const Value* input = about.find("input");
  if (input != nullptr && about.find("input_omitted") == nullptr) {
    call.set("input", input->to_json());
  }
  return call;
}

Value run_case(const Value& id, const Value& about, Time now) {
  const Value call = call_of(about);
  const auto request = teststate::read_request(call);
  if (const auto* refusal = std::get_if<teststate::Refusal>(&request)) {
    return refusal_line(id, refusal->code, refusal->message);
  }
  const Value* lambdas = about.find("lambdas");
  Functions functions(lambdas != nullptr ? *lambdas : Value());
  teststate::Setting setting;
  setting.now = now;
  setting.account = "arn:<partition>:states:<region>:111111111111:";
  setting.machine = "machine-of-the-case";
  setting.execution = "execution-of-the-case";
  setting.as_aws = true;
  setting.run = [&](const RunTask& task) -> FactBody {
    std::string why;
    auto answer = functions.call(task, why);
    if (!answer) return TaskFailed{"States.TaskFailed", why, std::nullopt};
    return std::move(answer->body);
  };
  const auto tried = teststate::test_state(std::get<teststate::Request>(request), setting);
  if (const auto* refusal = std::get_if<teststate::Refusal>(&tried)) {
    return refusal_line(id, refusal->code, refusal->message);
  }
  const Value* level = call.find("inspectionLevel");
  return Object{
      {"id", id},
      {"response", to_json(std::get<teststate::Tried>(tried),
                           level != nullptr && level->is_string() ? level->as_string() : "INFO")}};
}

}  // namespace

int run_test_state(std::istream& cases, std::ostream& results) {
  const Time now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  Line line;
  while (next_line(cases, line)) {
    if (line.text.empty() && !line.too_long) continue;
    const Result<Value> about = parse_case(line);
    if (!about.ok()) {
      write_line(results,
                 refusal_line(Value(), to_string(about.error().code), about.error().message));
      continue;
    }
    const Value* kind = about->find("kind");
    if (kind != nullptr && *kind != Value("test_state")) continue;
    const Value* id = about->find("id");
    const Value name = id != nullptr ? *id : Value();
    try {
      write_line(results, run_case(name, *about, now));
    } catch (const std::exception& defect) {
      write_line(results, refusal_line(name, "Defect", defect.what()));
    }
  }
  results.flush();
  return 0;
}

}  // namespace stepwell::conformance
