<?php

declare(strict_types=1);

namespace Cloakroom\Session\Magento;

// phpcs:disable PSR1.Classes.ClassDeclaration.MultipleClasses -- only one of the two is ever declared
// Only some Magentos tell their handler which pages only read. The others have no such interface.
if (interface_exists(\Magento\Framework\Session\SessionAccessModeAwareInterface::class)) {
    interface AccessMode extends \Magento\Framework\Session\SessionAccessModeAwareInterface
    {
    }
} else {
    interface AccessMode
    {
    }
}
