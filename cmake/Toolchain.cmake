# Compiler flags of every target: warnings are errors, clang also analyses the locks.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # What ccache's manual asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_library(cloakroom_flags INTERFACE)
target_include_directories(cloakroom_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(cloakroom_flags INTERFACE -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(cloakroom_flags INTERFACE -Wthread-safety -Werror=thread-safety)
else()
  # clang looks for these in sources that it compiles alone, which not all presets do.
  target_compile_options(cloakroom_flags INTERFACE -Wunused-const-variable=1)
  # g++ 12 sees dangling pointers and overflows in inlined library code that are not there.
  target_compile_options(cloakroom_flags INTERFACE -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict
    -Wno-maybe-uninitialized -Wno-dangling-pointer)
endif()

find_program(MOLD mold)
# g++ for another machine does not look for mold where it is.
if(MOLD AND NOT CMAKE_CROSSCOMPILING)
  target_link_options(cloakroom_flags INTERFACE -fuse-ld=mold)
endif()

if(CLOAKROOM_SANITIZE)
  target_compile_options(cloakroom_flags INTERFACE -fsanitize=${CLOAKROOM_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(cloakroom_flags INTERFACE -fsanitize=${CLOAKROOM_SANITIZE})
endif()
