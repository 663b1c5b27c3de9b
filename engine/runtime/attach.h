// What the parts of the product that are built around an Engine may do to it, beside its public
// face: give it task handlers that live on a lane's loop, and look at its counters.
#pragma once

#include <stepwell/engine.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/observe/counters.h"
#include "engine/runtime/lane.h"
#include "engine/runtime/settings.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

// Before run(): `make` is called once on the thread of each lane, with that lane's loop, and
// answers null when it cannot (run() then fails).  The handler is destroyed on that thread before
// the loop ends.  `resources` are known to deploys (did-you-mean).
void attach(Engine& engine, HandlerFactory make, std::vector<std::string> resources = {});
// All names that are known: attached, and of tasks.
std::vector<std::string> known_resources(Engine& engine);

// An engine on a store that somebody else made and perhaps shares; for tests and simulations.
Answer<std::unique_ptr<Engine>> open_on(std::shared_ptr<store::Store> store, const Options& options,
                                        const Settings& settings);

const Counters& counters_of(Engine& engine);  // After run().
store::Store& store_of(Engine& engine);

// start() that does not wait: `told` is called once, on a lane's thread; it must not block.
void start_then(Engine& engine, const std::string& workflow, const std::string& input_json,
                const StartOptions& options, std::function<void(Answer<StartedExecution>)> told);

// Calls `told` once, on a lane's thread, when the execution is not held here any more: ended, most
// often.  False: it is not held now.
bool when_released(Engine& engine, const std::string& id, std::function<void()> told);

}  // namespace stepwell::runtime
