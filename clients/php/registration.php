<?php

// Tells Magento where its module Cloakroom_Session lives. Outside Magento this file does nothing.

declare(strict_types=1);

if (class_exists(\Magento\Framework\Component\ComponentRegistrar::class)) {
    \Magento\Framework\Component\ComponentRegistrar::register(
        \Magento\Framework\Component\ComponentRegistrar::MODULE,
        'Cloakroom_Session',
        __DIR__
    );
}
