# What is built only to be tested shares the library headers of a target, which take more than half of its compile
# time; clang-tidy reads the same precompiled headers. What is delivered is compiled without: a source that forgets
# an #include of a library fails there.
option(CLOAKROOM_PRECOMPILE "Precompile the headers of libraries" OFF)

set(CLOAKROOM_PRECOMPILED <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <cstring> <deque> <functional>
  <memory> <mutex> <optional> <random> <span> <string> <string_view> <thread> <utility> <variant> <vector>
  <absl/container/flat_hash_map.h> <absl/container/flat_hash_set.h> <absl/container/inlined_vector.h>
  <absl/functional/function_ref.h> <absl/random/random.h> <absl/strings/str_cat.h>)

# cloakroom_precompile(target [more headers...])
function(cloakroom_precompile target)
  if(NOT CLOAKROOM_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${CLOAKROOM_PRECOMPILED} ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # ccache compares contents.
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
  endif()
endfunction()
