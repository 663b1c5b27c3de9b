// Interrupt — Ctrl-C, SIGTERM and SIGHUP as something one can ask for and watch, instead of a
// sudden end.
//
// The first signal asks to stop; the second ends the process at once.
// Thread-safety: install() on the main thread, once; the rest from any.
#pragma once

namespace stepwell::cli {

class Interrupt {
 public:
  static void install();
  static bool is_asked();
  // Becomes readable at the first signal, for Loop::watch.
  static int descriptor();
};

}  // namespace stepwell::cli
