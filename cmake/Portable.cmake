# Programs that run wherever glibc is 2.34 or newer: everything else is linked in. Debian's targets name the shared libraries; the
# static ones lie beside them, and fmt and spdlog, which have none, come as headers.
option(CLOAKROOM_PORTABLE "Link in all libraries but glibc" OFF)

function(cloakroom_link_in_absl)
  get_directory_property(targets DIRECTORY ${CMAKE_SOURCE_DIR} IMPORTED_TARGETS)
  list(FILTER targets INCLUDE REGEX "^absl::")
  foreach(target IN LISTS targets)
    get_target_property(shared ${target} IMPORTED_LOCATION_NONE)
    if(shared)
      string(REGEX REPLACE "\\.so\\..*$" ".a" static ${shared})
      set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_NONE ${static})
    endif()
  endforeach()
endfunction()

# cloakroom_portable(PROGRAM): the last step of an executable that users install.
function(cloakroom_portable program)
  if(NOT CLOAKROOM_PORTABLE)
    return()
  endif()
  file(GLOB instead_of_newer_glibc ${CMAKE_SOURCE_DIR}/packaging/portable/*.cc)
  target_sources(${program} PRIVATE ${instead_of_newer_glibc})
  target_link_options(${program} PRIVATE -static-libstdc++ -static-libgcc -Wl,-z,relro,-z,now)
endfunction()
